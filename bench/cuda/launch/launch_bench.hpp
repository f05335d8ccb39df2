// The measurements of bench_cuda_launch and their output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>

#include <adaptive/cuda.hpp>

namespace adaptive::bench {

/// One line of a table: a name, and its numbers by column.
struct Row {
  std::string name;
  std::vector<std::pair<std::string, double>> numbers;
};

struct Section {
  std::string title;
  std::vector<Row> rows;
};

struct LaunchOptions {
  int rounds = 60;
  bool cupti = true;
  std::uint64_t soak_launches = 10'000'000;
  int soak_threads = 8;
  int soak_streams = 4;
};

/// Options of a selector that times every call.
SelectorOptions timed_selector();
OperationSpec one_variant(const std::string& name);

/// Throws if `status` is an error.
void require(cudaError_t status, const char* what);
double median(std::vector<double> values);

std::vector<Section> launch_cost(const LaunchOptions& options);
Section clock_agreement(const LaunchOptions& options);
Section soak(const LaunchOptions& options);

void print_table(const std::vector<Section>& sections);
void print_json(const std::vector<Section>& sections);

}  // namespace adaptive::bench
