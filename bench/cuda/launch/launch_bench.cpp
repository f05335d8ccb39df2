// bench_cuda_launch [--json] [--no-cupti] [--rounds N] [--soak N] [--only cost|clocks|soak]
#include "bench/cuda/launch/launch_bench.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace adaptive::bench {
namespace {

class Always final : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override { return {key.incumbent, true}; }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }
};

int run(int argc, char** argv) {
  LaunchOptions options;
  bool json = false;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (argument == "--json") {
      json = true;
    } else if (argument == "--no-cupti") {
      options.cupti = false;
    } else if (value != nullptr && argument == "--rounds") {
      options.rounds = std::atoi(argv[++i]);
    } else if (value != nullptr && argument == "--soak") {
      options.soak_launches = std::strtoull(argv[++i], nullptr, 10);
    } else if (value != nullptr && argument == "--only") {
      only = argv[++i];
    } else {
      std::fprintf(stderr,
                   "usage: bench_cuda_launch [--json] [--no-cupti] [--rounds N] [--soak N] [--only "
                   "cost|clocks|soak]\n");
      return 2;
    }
  }
  if (cuda::device_count() == 0) {
    std::fprintf(stderr, "no GPU\n");
    return 1;
  }
  std::vector<Section> sections;
  if (only.empty() || only == "cost")
    for (Section& section : launch_cost(options)) sections.push_back(std::move(section));
  if (only.empty() || only == "clocks") sections.push_back(clock_agreement(options));
  if ((only.empty() || only == "soak") && options.soak_launches > 0) sections.push_back(soak(options));
  if (json)
    print_json(sections);
  else
    print_table(sections);
  return 0;
}

}  // namespace

SelectorOptions timed_selector() {
  return {.policy = policy_of<Always>(), .learning = {.timing_budget = 1.0}, .use_environment = false};
}

OperationSpec one_variant(const std::string& name) {
  return {.name = name, .dimensions = {size_dimension("m")}, .variants = {{.name = "spin"}}};
}

void require(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void print_table(const std::vector<Section>& sections) {
  const Fingerprint device = cuda::device();
  std::printf("%s, driver %s, CUDA %s\n", device.device.c_str(), device.driver.c_str(),
              device.toolkit.c_str());
  for (const Section& section : sections) {
    std::printf("\n%s\n", section.title.c_str());
    for (const Row& row : section.rows) {
      std::printf("  %-26s", row.name.c_str());
      for (const auto& [name, value] : row.numbers) std::printf("  %s %.1f", name.c_str(), value);
      std::printf("\n");
    }
  }
}

// Names and titles are constants of this program and need no escaping.
void print_json(const std::vector<Section>& sections) {
  const Fingerprint device = cuda::device();
  std::printf("{\"device\": \"%s\", \"driver\": \"%s\", \"toolkit\": \"%s\", \"sections\": [",
              device.device.c_str(), device.driver.c_str(), device.toolkit.c_str());
  for (std::size_t s = 0; s < sections.size(); ++s) {
    std::printf("%s\n  {\"title\": \"%s\", \"rows\": [", s == 0 ? "" : ",", sections[s].title.c_str());
    for (std::size_t r = 0; r < sections[s].rows.size(); ++r) {
      const Row& row = sections[s].rows[r];
      std::printf("%s\n    {\"name\": \"%s\"", r == 0 ? "" : ",", row.name.c_str());
      for (const auto& [name, value] : row.numbers) std::printf(", \"%s\": %.3f", name.c_str(), value);
      std::printf("}");
    }
    std::printf("]}");
  }
  std::printf("]}\n");
}

}  // namespace adaptive::bench

int main(int argc, char** argv) {
  try {
    return adaptive::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_cuda_launch: %s\n", error.what());
    return 1;
  }
}
