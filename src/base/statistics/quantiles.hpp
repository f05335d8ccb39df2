// The quantiles of latencies that people read.
#pragma once

#include <span>

#include <adaptive/latency.hpp>

namespace adaptive::inline v1::core {

/// The quantiles of `latencies_ns`, which may be in any order. Allocates, and sorts: not for the launch path.
RecentLatencies quantiles(std::span<const double> latencies_ns);

}  // namespace adaptive::core
