// What programs that always launch one variant would have lost in the calls of a run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "replay/environments/environment.hpp"
#include "replay/runner.hpp"

namespace adaptive::inline v1::replay {

/// Counts a run with changing keys beside all of its fixed variants.
class BesideFixedVariants {
 public:
  explicit BesideFixedVariants(std::size_t variants) : lost_(variants, 0.0) {}

  /// One call in which the run lost `lost` best latencies.
  void add(const Environment& environment, double lost) {
    for (std::uint32_t i = 0; i < lost_.size(); ++i) lost_[i] += environment.gap(i);
    window_ += lost - environment.gap(0);
    if (++calls_ % window_calls != 0) return;
    if (calls_ > window_calls) {
      ++result_.windows;
      result_.windows_behind_default += window_ > 0.0 ? 1 : 0;
    }
    window_ = 0.0;
  }

  FixedVariants result() const {
    FixedVariants result = result_;
    const double calls = static_cast<double>(std::max<std::size_t>(calls_, 1));
    result.overhead_default = lost_.front() / calls;
    result.overhead_best = *std::min_element(lost_.begin(), lost_.end()) / calls;
    return result;
  }

 private:
  static constexpr std::size_t window_calls = 1'000;
  std::vector<double> lost_;  // by variant, in latencies of the best
  double window_ = 0.0;       // what the run lost beyond the default in the current window
  std::size_t calls_ = 0;
  FixedVariants result_;
};

}  // namespace adaptive::replay
