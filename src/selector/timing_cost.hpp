// What timing a launch with the host's clock costs a program.
#pragma once

#include <functional>

namespace adaptive::inline v1::core {

/// The cost of timing one launch on the host, in nanoseconds: the question to the policy in `select`, two
/// readings of `std::chrono::steady_clock`, and `record`. It is measured by the first call in a process, on
/// keys of its own, which takes some 0.2 ms. 0 if memory is short. Thread-safe.
double host_timing_cost_ns() noexcept;

/// Measures the same by a clock that returns nanoseconds. Throws `std::bad_alloc`.
double measure_timing_cost_ns(const std::function<double()>& clock);

}  // namespace adaptive::core
