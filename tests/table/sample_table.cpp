#include "sample_table.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace adaptive::inline v1::table {

Table sample_table() {
  Table table;
  table.tool = "adaptive 0.1.0";
  table.fingerprint = {"NVIDIA H200", "580.159.04", "13.0", {{"cublaslt", "13.1.0"}}};

  OperationTable matmul;
  matmul.name = "mixed_bit_matmul";
  matmul.dimensions = {size_dimension("tokens", 1.0, Rounding::power_of_two), size_dimension("features", 0.5),
                       linear_dimension("layer"), label_dimension("dtype", {"fp16", "bf16"}),
                       set_dimension("bits", {"2", "3", "4", "8"})};
  matmul.variants = {
      {"reference", {}},
      {"tile64",
       {{"tile", 64}, {"scale", 64.0}, {"split", true}, {"layout", "row \"major\""}, {"tiny", 1e-300}}}};
  Entry measured;
  measured.key = Key{16, 4096, -3, 1, 0b0101};
  measured.incumbent = "tile64";
  measured.time = 1'769'847'300;
  measured.variants = {{"reference", {25, 81240.5, 160000.0, 81100.0, 0}},
                       {"tile64", {40, 42377.25, 90250.5, 42310.0, 1, 0, {40, 42312.5, 42904.125, 43310.0}}}};
  Entry failed;
  failed.key = Key{32, 4096, 0, 0, 0};
  failed.origin = Origin::imported;
  failed.variants = {{"tile64", {0, 0.0, 0.0, 0.0, 3}}};
  matmul.entries = {{measured.key, measured}, {failed.key, failed}};

  OperationTable copy;
  copy.name = "copy";
  copy.dimensions = {size_dimension("bytes")};
  copy.variants = {{"memcpy", {}}};

  table.operations = {{matmul.name, matmul}, {copy.name, copy}};
  return table;
}

Table large_table(std::size_t entries, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Table table;
  table.tool = "adaptive 0.1.0";
  OperationTable& operation = table.operations["matmul"];
  operation.name = "matmul";
  operation.dimensions = {size_dimension("m"), size_dimension("n")};
  operation.variants = {{"reference", {}}, {"tile64", {{"tile", 64}}}};
  for (std::size_t i = 0; i < entries; ++i) {
    Entry entry;
    entry.key = Key{i / 16, i % 16};
    entry.incumbent = "tile64";
    entry.time = static_cast<std::int64_t>(1'769'847'300 + seed);
    for (const auto& [name, parameters] : operation.variants) {
      const double mean = 1e4 + static_cast<double>(random() % 1'000'000) / 7.0;
      entry.variants[name] = {2 + random() % 99, mean, mean * mean / 400.0, mean * 0.99, 0};
    }
    operation.entries.emplace(entry.key, std::move(entry));
  }
  return table;
}

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "adaptive-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::size_t TemporaryFolder::count() const {
  return static_cast<std::size_t>(std::distance(std::filesystem::recursive_directory_iterator(path_), {}));
}

}  // namespace adaptive::table
