// Latencies as a launch would have them, from a fixed seed.
#pragma once

#include <cmath>
#include <numbers>

#include <adaptive/random.hpp>

namespace adaptive::test {

/// Standard normal (Box and Muller, 1958).
inline double normal(Random& random) {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - random.uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * random.uniform());
}

/// A latency in ns whose logarithm has the given deviation.
inline double noisy(Random& random, double ns, double deviation) {
  return ns * std::exp(deviation * normal(random));
}

}  // namespace adaptive::test
