#include "cuda/bias/estimate.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace adaptive::inline v1::cuda {

Latency bias_of(std::span<const BiasSample> samples) {
  std::vector<double> differences;
  for (const BiasSample& sample : samples) differences.push_back(sample.pair_ns - sample.device_ns);
  if (differences.empty()) return Latency{0};
  const auto median = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::nth_element(differences.begin(), median, differences.end());
  return Latency{std::max(*median, 0.0)};
}

Latency without_bias(double pair_ns, Latency bias) noexcept {
  return std::max(Latency{pair_ns} - bias, latency_min);
}

}  // namespace adaptive::cuda
