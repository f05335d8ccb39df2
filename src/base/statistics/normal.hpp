// Draws from the normal distribution.
#pragma once

#include <cmath>
#include <numbers>

#include <adaptive/random.hpp>

namespace adaptive::inline v1::core {

/// A draw from the standard normal distribution (Box and Muller, "A note on the generation of random normal
/// deviates", Annals of Mathematical Statistics 29, 1958).
inline double normal(Random& random) noexcept {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * random.uniform());
}

}  // namespace adaptive::core
