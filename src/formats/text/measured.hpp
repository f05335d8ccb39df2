// Records of the latencies in foreign files.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/limits.hpp"
#include "formats/sheet.hpp"

namespace adaptive::inline v1::table::formats {

inline constexpr double ns_per_s = 1e9;
inline constexpr double ns_per_ms = 1e6;
inline constexpr double ns_per_us = 1e3;

/// Whether a table can hold it as a latency.
inline bool is_latency(double ns) {
  return std::isfinite(ns) && ns > 0.0 && ns <= limits::latency_ns;
}

/// The record of a latency of which nothing but this value is known; empty if it is not a latency.
inline VariantRecord record_of(double ns) {
  VariantRecord record;
  if (!is_latency(ns)) return record;
  record.count = 1;
  record.mean_ns = ns;
  record.location_ns = ns;
  return record;
}

/// The record of latencies that their tool summarises as `location_ns`. Values that are not latencies are
/// left out. If `location_ns` is not among the others, they are not what it summarises and are left out too.
inline VariantRecord record_of(std::span<const double> latencies_ns, double location_ns) {
  VariantRecord record = record_of(location_ns);
  if (record.count == 0) return record;
  double mean = 0.0;
  double squares = 0.0;
  double least = location_ns;
  double largest = location_ns;
  std::uint64_t count = 0;
  for (const double ns : latencies_ns) {
    if (!is_latency(ns)) continue;
    least = count == 0 ? ns : std::min(least, ns);
    largest = count == 0 ? ns : std::max(largest, ns);
    ++count;
    const double difference = ns - mean;
    mean += difference / static_cast<double>(count);
    squares += difference * (ns - mean);
  }
  if (count == 0 || location_ns < least || location_ns > largest) return record;
  record.count = count;
  record.mean_ns = mean;
  if (count > 1)
    record.variance_ns2 = std::min(squares / static_cast<double>(count - 1), limits::variance_ns2);
  return record;
}

/// The record of parameters that could not run.
inline VariantRecord failed_record() {
  VariantRecord record;
  record.failures = 1;
  return record;
}

/// The row of the fastest of these measurements, by `location_ns`, and of the others. If none has a time, the
/// first that has not failed is the fastest. Of several with the same parameters the last one counts. The row
/// has no parameters if all have failed.
Row row_of(const std::vector<Measured>& measured);

}  // namespace adaptive::table::formats
