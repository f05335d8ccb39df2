// Latencies mean nothing under compute-sanitizer.
#pragma once

#include <cstdlib>

namespace adaptive::inline v1::cuda::test {

/// Whether a tool slows the program's kernels down. `scripts/test --gpu` sets the variable.
inline bool instrumented() {
  return std::getenv("ADAPTIVE_TEST_INSTRUMENTED") != nullptr;
}

}  // namespace adaptive::cuda::test
