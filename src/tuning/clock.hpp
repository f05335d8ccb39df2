// Seconds since any moment, from a clock that tests put in the place of the steady one.
#pragma once

#include <chrono>
#include <functional>

namespace adaptive::tuning {

using Clock = std::function<double()>;

inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The steady clock where there is no other.
inline Clock clock_or_steady(const Clock& clock) {
  return clock ? clock : steady_seconds;
}

}  // namespace adaptive::tuning
