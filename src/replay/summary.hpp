// What a policy did, over many runs.
#pragma once

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "replay/runner.hpp"

namespace adaptive::inline v1::replay {

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

/// Values of which any quantile can be asked.
class Distribution {
 public:
  void add(double value) { values_.push_back(value); }
  std::size_t count() const noexcept { return values_.size(); }
  /// The least value that at least `share` of them do not exceed; there must be one.
  double quantile(double share) const;

 private:
  std::vector<double> values_;
};

/// What a policy did in a number of runs.
struct Summary {
  explicit Summary(std::size_t checkpoints) : overhead(checkpoints) {}
  void add(const Outcome& outcome);

  std::vector<Mean> overhead;
  Mean realized;
  Mean timed;
  Mean last_half;
  Mean last_quarter;
  Mean late_timed;
  Mean kept_gap;
  Mean promoted;
  Mean confirmed;
  Mean fixed_default;  ///< the overhead of the default, of environments that change their keys
  Mean fixed_best;
  Mean promotions;
  Mean reaction;
  Distribution reaction_calls;  ///< of the runs that `reaction` is the mean of
  Distribution reaction_timed;  ///< timed calls until then
  std::size_t runs = 0;
  std::size_t wrong = 0;  ///< promotions of all runs together
  std::size_t unreacted = 0;
  std::size_t ended_slow = 0;  ///< runs in which what runs between explorations ends slower than a tie
  std::size_t windows = 0;     ///< `FixedVariants::windows` of all runs together, and so on
  std::size_t windows_behind_default = 0;
};

}  // namespace adaptive::replay
