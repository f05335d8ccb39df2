// A user's program: the first example of the documentation, completed. It is built against the installed
// package, the pkg-config file and the source tree, and uses nothing else of the project.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <vector>

#include <adaptive/adaptive.hpp>

namespace {

using Kernel = double (*)(const std::vector<double>&);

double forwards(const std::vector<double>& values) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += values[i];
  return sum;
}

double unrolled(const std::vector<double>& values) {
  double even = 0;
  double odd = 0;
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    even += values[i];
    odd += values[i + 1];
  }
  return even + odd;
}

bool divisible_by_64(const adaptive::Key& key) {
  return key[1] % 64 == 0;
}

// Whether the program looks for tables in `folder`, which was installed with the library.
bool searches(const std::filesystem::path& folder) {
  for (const std::filesystem::path& place : adaptive::TableSearch::standard().defaults)
    if (std::filesystem::exists(place) && std::filesystem::equivalent(place, folder)) return true;
  std::printf("the tables in %s are not found\n", folder.c_str());
  return false;
}

int run() {
  adaptive::Selector selector(
      {.device = adaptive::host_device(), .tables = adaptive::TableSearch::standard()});

  adaptive::Operation& matmul = selector.define({
      .name = "mixed_bit_matmul",
      .dimensions = {{"tokens"},
                     {"out_features"},
                     {"in_features"},
                     adaptive::set_dimension("bits", {"2", "3", "4", "8"})},
      .variants = {{.name = "reference"},  // the first is the default
                   {.name = "tile64", .parameters = {{"tile", 64}}, .supports = divisible_by_64}},
  });

  const Kernel kernels[] = {forwards, unrolled};
  const std::vector<double> problem(4096, 1.0);
  const std::int64_t tokens = 4;
  const std::int64_t out = 128;
  const std::int64_t in = 256;
  const std::int64_t bits = matmul.labels("bits", {"2", "4"});
  for (int call = 0; call < 1000; ++call) {
    const adaptive::Decision decision = matmul.select({tokens, out, in, bits});
    const auto begin = std::chrono::steady_clock::now();
    if (kernels[decision.variant()](problem) != 4096.0) return 1;
    matmul.record(decision, std::chrono::steady_clock::now() - begin);
  }
  selector.save("adapted.json");

  // An exception of the library is caught with its own type, also across the border of a shared library.
  try {
    selector.load("no/such/table.json");
  } catch (const adaptive::Error& error) {
    std::printf("adaptive %s: %s\n", adaptive::library_version, error.what());
    return std::strlen(error.what()) > 0 ? 0 : 1;
  }
  std::puts("a missing table was read");
  return 1;
}

}  // namespace

// stranger [FOLDER]: FOLDER is where the installed tables must be found.
int main(int argc, char** argv) {
  try {
    if (argc > 1 && !searches(argv[1])) return 1;
    return run();
  } catch (const std::exception& error) {
    std::printf("unexpected: %s\n", error.what());
    return 1;
  }
}
