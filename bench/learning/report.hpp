// Sums outcomes up and prints them.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/policies/support/runner.hpp"

namespace adaptive::learning_bench {

/// Mean with its 95 % confidence, of values that arrive one by one (Welford).
class Mean {
 public:
  void add(double value) noexcept {
    ++count_;
    const double from_mean = value - mean_;
    mean_ += from_mean / static_cast<double>(count_);
    squares_ += from_mean * (value - mean_);
  }
  std::size_t count() const noexcept { return count_; }
  double mean() const noexcept { return mean_; }
  /// Half the width; 0 for fewer than two values.
  double confidence() const noexcept {
    if (count_ < 2) return 0.0;
    const double n = static_cast<double>(count_);
    return 1.96 * std::sqrt(squares_ / (n - 1.0) / n);
  }

 private:
  std::size_t count_ = 0;
  double mean_ = 0.0;
  double squares_ = 0.0;
};

/// What a policy did in a number of runs.
struct Summary {
  explicit Summary(std::size_t checkpoints) : overhead(checkpoints) {}
  void add(const simulation::Outcome& outcome);

  std::vector<Mean> overhead;
  Mean realized;
  Mean timed;
  Mean promotions;
  Mean reaction;
  std::size_t runs = 0;
  std::size_t wrong = 0;
  std::size_t unreacted = 0;
};

/// The head of a table of summaries, and its lines.
std::string head(const std::vector<std::size_t>& checkpoints, bool reaction);
std::string line(const std::string& policy, const Summary& summary, bool reaction);

}  // namespace adaptive::learning_bench
