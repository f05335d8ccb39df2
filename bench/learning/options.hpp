// What the command line says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "replay/recorded.hpp"

namespace adaptive::learning_bench {

struct Options {
  std::vector<std::string> policies;  ///< empty: all
  std::string scenario;               ///< empty: all
  std::filesystem::path trace;        ///< empty: the scenarios
  replay::Recorded::Order order = replay::Recorded::Order::random;
  replay::Recorded::Truth truth = replay::Recorded::Truth::mean;
  std::size_t calls = 10'000;
  std::size_t runs = 0;  ///< 0: 200 of a scenario, 20 of every key of a trace
  std::uint64_t seed = 1;
  double budget = 1.0;
  double timing_cost_us = 0.0;  ///< added to every timed call
  bool parameters = true;       ///< whether policies may know what variants are alike in
  bool per_key = false;
  bool bound = false;  ///< also what those lose that see or know more than a policy can
  bool help = false;
};

/// A wrong command line.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Options parse(const std::vector<std::string>& arguments);

std::string usage();

}  // namespace adaptive::learning_bench
