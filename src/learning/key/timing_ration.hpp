// How many calls of a key may be timed if reading a clock takes as long as a launch.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace adaptive::inline v1::core {

/// Limits the timed launches of one key by the cost of timing that the library has measured itself. All times
/// are multiples of the latency of the key's leader. Timing may take the sum of
/// - the cost of the first timed launches, since nothing can be chosen without them: `first_max` launches or,
///   if the launches are short, as many as cost 30 latencies, but at least `first_min`;
/// - 2 % of the time of the first calls. Early results are worth most, so this share has halved at the
///   thousandth call and falls further with the number of calls;
/// - `budget` (`LearningOptions::timing_budget`) of the time of all calls.
///
/// Launches of 10 µs and more are hardly limited, because policies ask for fewer timed launches than that.
struct TimingRation {
  double cost = 0.0;    ///< cost of timing one launch; above 0
  double budget = 0.0;  ///< share of the time, from 0 to 1
  std::size_t first_min = 0;
  std::size_t first_max = 0;

  /// Share of the calls, from 0 to 1, that may be timed from now on, if `timed` of the first `calls` were
  /// timed. It is 1 while timing has cost less than allowed.
  double share(double calls, double timed) const noexcept {
    const double early = early_share * early_calls * std::log1p(calls / early_calls);
    if ((timed + 1.0) * cost <= first() * cost + early + budget * calls) return 1.0;
    return std::min(1.0, (early_share / (1.0 + calls / early_calls) + budget) / cost);
  }

 private:
  static constexpr double early_share = 0.02;
  static constexpr double early_calls = 1000.0;
  // Limit of the cost of the first timed launches, in latencies; it does not apply to the first `first_min`.
  static constexpr double first_cost = 30.0;

  double first() const noexcept {
    return std::clamp(std::floor(first_cost / cost), static_cast<double>(first_min),
                      static_cast<double>(first_max));
  }
};

}  // namespace adaptive::core
