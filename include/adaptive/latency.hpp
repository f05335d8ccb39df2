#pragma once

#include <chrono>

namespace adaptive::inline v1 {

/// The cost of a launch, in nanoseconds. Any `std::chrono` duration converts to it.
using Latency = std::chrono::duration<double, std::nano>;

}  // namespace adaptive
