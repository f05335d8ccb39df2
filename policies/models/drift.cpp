#include "policies/models/drift.hpp"

#include <algorithm>

namespace adaptive::inline v1::policies {

void DriftDetector::Sum::add(double step) noexcept {
  height = std::max(0.0, height + step);
  upper = height > threshold / 2 ? upper + 1 : 0;
}

void DriftDetector::forget() noexcept {
  up_ = {};
  down_ = {};
}

bool DriftDetector::add(const KeyStatistics& key, const Sample& sample) noexcept {
  if (sample.candidate != candidate_) {
    candidate_ = sample.candidate;
    forget();
  }
  if (key[sample.candidate].count <= results_min) return false;
  const double z = std::clamp(sample.residual / key.deviation(), -clip, clip);
  up_.add(z - slack);
  down_.add(-z - slack);
  latest_[results_++ % latest_.size()] = sample.log_latency;
  const Sum& highest = up_.height > down_.height ? up_ : down_;
  if (highest.height < threshold) return false;

  std::array<double, 8> level{};
  const std::size_t count = std::min(highest.upper, level.size());
  for (std::size_t i = 0; i < count; ++i) level[i] = latest_[(results_ - 1 - i) % latest_.size()];
  const auto middle = level.begin() + static_cast<std::ptrdiff_t>((count - 1) / 2);
  std::nth_element(level.begin(), middle, level.begin() + static_cast<std::ptrdiff_t>(count));
  level_ = *middle;
  forget();
  return true;
}

}  // namespace adaptive::policies
