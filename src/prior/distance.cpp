#include "prior/distance.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace adaptive::inline v1::core {
namespace {

double doublings(std::int64_t a, std::int64_t b) noexcept {
  const auto positive = [](std::int64_t v) { return v > 0 ? static_cast<double>(v) : 0.5; };
  // The quotient of the larger and the smaller value, so that the distance is symmetric, and equal ratios
  // give exactly equal distances.
  return std::log2(std::max(positive(a), positive(b)) / std::min(positive(a), positive(b)));
}

}  // namespace

double distance(std::span<const Dimension> dimensions, const Key& a, const Key& b) noexcept {
  double sum = 0.0;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (a[i] == b[i]) continue;
    switch (dimensions[i].kind) {
      case DimensionKind::size:
        sum += dimensions[i].weight * doublings(a[i], b[i]);
        break;
      case DimensionKind::linear:
        sum += dimensions[i].weight * std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        break;
      case DimensionKind::label:
      case DimensionKind::label_set:
        return std::numeric_limits<double>::infinity();
    }
  }
  return sum;
}

}  // namespace adaptive::core
