#include "policies/models/value_of_looking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace adaptive::inline v1::policies {
double expected_gain(double behind, double deviation) noexcept {
  const double z = -behind / deviation;
  if (z < -8.0) return 0.0;
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
  return std::max(0.0, deviation * (density + z * 0.5 * std::erfc(-z / std::numbers::sqrt2)));
}

double lai_boundary(double information) noexcept {
  double x = information + 1.0;
  for (int i = 0; i < 2; ++i) x = information + 1.0 + 0.5 * std::log(std::max(x, 1.0));
  return x;
}

}  // namespace adaptive::policies
