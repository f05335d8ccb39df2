#include "drift.hpp"

#include <algorithm>

namespace adaptive::policies {

void DriftDetector::forget() noexcept {
  up_ = 0.0;
  down_ = 0.0;
  run_ = 0;
}

bool DriftDetector::add(const KeyStatistics& key, const Sample& sample) noexcept {
  if (sample.candidate != candidate_) {
    candidate_ = sample.candidate;
    forget();
  }
  if (key[sample.candidate].count <= results_min) return false;
  const double z = std::clamp(sample.residual / key.deviation(), -clip, clip);
  up_ = std::max(0.0, up_ + z - slack);
  down_ = std::max(0.0, down_ - z - slack);
  if (up_ == 0.0 && down_ == 0.0) {
    run_ = 0;
    return false;
  }
  latest_[run_++ % latest_.size()] = sample.log_latency;
  if (up_ < threshold && down_ < threshold) return false;

  weight_ = std::min<std::uint64_t>(run_, latest_.size());
  std::array<double, 8> sorted = latest_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((weight_ - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(weight_));
  level_ = *middle;
  forget();
  return true;
}

}  // namespace adaptive::policies
