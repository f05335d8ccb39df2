// Options on the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "replay/environments/recorded.hpp"

namespace adaptive::learning_bench {

struct Options {
  std::vector<std::string> policies;  ///< empty: all
  std::string scenario;               ///< empty: all
  std::filesystem::path trace;        ///< empty: the scenarios
  replay::Recorded::Order order = replay::Recorded::Order::random;
  replay::Recorded::Truth truth = replay::Recorded::Truth::mean;
  std::size_t calls = 10'000;
  std::size_t runs = 0;  ///< 0: 200 for each scenario, 20 for each key of a trace
  std::uint64_t seed = 1;
  double budget = 1.0;
  double timing_cost_us = 0.0;  ///< added to every timed call
  bool parameters = true;       ///< whether policies may use the parameters of the variants
  bool per_key = false;
  bool bound = false;  ///< whether policies that are told more than a real policy can know run as well
  bool help = false;
};

/// The command line is wrong.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Options parse(const std::vector<std::string>& arguments);

std::string usage();

}  // namespace adaptive::learning_bench
