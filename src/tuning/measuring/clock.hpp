// Seconds since any moment, from a clock that tests put in the place of the steady one.
#pragma once

#include <chrono>
#include <functional>

namespace adaptive::inline v1::tuning {

using ClockFunction = std::function<double()>;

inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The steady clock where there is no other.
inline ClockFunction clock_or_steady(const ClockFunction& clock) {
  return clock ? clock : steady_seconds;
}

}  // namespace adaptive::tuning
