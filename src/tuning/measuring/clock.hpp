// A clock in seconds. Tests replace the steady clock by a clock of their own.
#pragma once

#include <chrono>
#include <functional>

namespace adaptive::inline v1::tuning {

using ClockFunction = std::function<double()>;

inline double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Returns `clock`, or the steady clock if `clock` is empty.
inline ClockFunction clock_or_steady(const ClockFunction& clock) {
  return clock ? clock : steady_seconds;
}

}  // namespace adaptive::tuning
