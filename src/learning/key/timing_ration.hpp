// How many calls of a key may be timed where reading a clock takes as long as a launch.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace adaptive::inline v1::core {

/// Rations the timed launches of one key by a cost that the library has measured itself. All times are in
/// latencies of the key's leader. Timing may take
/// - what the first launches cost, since nothing can be chosen without them: `first_max` launches, or fewer
///   short ones, but at least `first_min`;
/// - 2 % of the time of the first calls. What is learned early is worth most, so this share has halved at the
///   thousandth call and goes on falling with the number of calls;
/// - `budget` (`LearningOptions::timing_budget`) of the time of all calls.
///
/// Launches of 10 µs and more are hardly limited by that: policies ask for fewer.
struct TimingRation {
  double cost = 0.0;    ///< of timing one launch; above 0
  double budget = 0.0;  ///< share of the time
  std::size_t first_min = 0;
  std::size_t first_max = 0;

  /// The share of the calls that may be timed from now on, from 0 to 1, after `timed` of `calls` were. It is
  /// 1 while timing has taken less than it may.
  double share(double calls, double timed) const noexcept {
    const double early = early_share * early_calls * std::log1p(calls / early_calls);
    if ((timed + 1.0) * cost <= first() * cost + early + budget * calls) return 1.0;
    return std::min(1.0, (early_share / (1.0 + calls / early_calls) + budget) / cost);
  }

 private:
  static constexpr double early_share = 0.02;
  static constexpr double early_calls = 1000.0;
  // What the first launches may cost, unless they are fewer than `first_min`.
  static constexpr double first_cost = 30.0;

  double first() const noexcept {
    return std::clamp(std::floor(first_cost / cost), static_cast<double>(first_min),
                      static_cast<double>(first_max));
  }
};

}  // namespace adaptive::core
