// Latencies as a launch would have them, from a fixed seed.
#pragma once

#include <cmath>

#include <adaptive/random.hpp>
#include "base/statistics/normal.hpp"

namespace adaptive::test {

/// A latency in ns whose logarithm has the given deviation.
inline double noisy(Random& random, double ns, double deviation) {
  return ns * std::exp(deviation * core::normal(random));
}

}  // namespace adaptive::test
