// Quantiles of latencies, for people who read explanations, tables and benchmarks.
#pragma once

#include <span>

#include <adaptive/latency.hpp>

namespace adaptive::inline v1::core {

/// The quantiles of `latencies_ns`, in nanoseconds and in any order. Allocates and sorts: not for the launch
/// path.
RecentLatencies quantiles(std::span<const double> latencies_ns);

}  // namespace adaptive::core
