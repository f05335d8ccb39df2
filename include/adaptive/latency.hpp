#pragma once

#include <chrono>

namespace adaptive::inline v1 {

/// What a launch costs. Any `std::chrono` duration converts to it.
using Latency = std::chrono::duration<double, std::nano>;

}  // namespace adaptive
