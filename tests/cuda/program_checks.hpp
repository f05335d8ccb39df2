// The checks of a program that a test starts.
#pragma once

#include <cstdio>

namespace adaptive::inline v1::cuda::test {

inline int faults = 0;

/// Prints `what` and counts a fault unless it holds.
inline void expect(bool held, const char* what) {
  if (held) return;
  std::printf("does not hold: %s\n", what);
  ++faults;
}

}  // namespace adaptive::cuda::test
