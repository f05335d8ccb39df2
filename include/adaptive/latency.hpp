#pragma once

#include <chrono>
#include <cstdint>

namespace adaptive::inline v1 {

/// The cost of a launch, in nanoseconds. Any `std::chrono` duration converts to it.
using Latency = std::chrono::duration<double, std::nano>;

/// Quantiles of the latest latencies of a variant, for people: decisions do not depend on them. The quantile
/// of a share is the smallest of the latencies that at least this share of them does not exceed, so that the
/// 99th percentile of fewer than 100 latencies is the largest. Plain data.
struct RecentLatencies {
  std::uint64_t count = 0;  ///< number of latencies behind the quantiles; 0: the others are 0 too
  double median_ns = 0.0;
  double p95_ns = 0.0;  ///< 95th percentile
  double p99_ns = 0.0;  ///< 99th percentile

  friend bool operator==(const RecentLatencies&, const RecentLatencies&) = default;
};

}  // namespace adaptive
