// What tables say of an operation, with names resolved: the form in which the core uses it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <adaptive/key.hpp>

#include "base/limits.hpp"
#include "table/comparing/proof.hpp"

namespace adaptive::inline v1::core {

/// Standard deviation of log latency by which the variants of a table from another device or other software
/// differ from what they take here.
constexpr double foreign_deviation = 0.15;
/// The same for a table that was measured on this very device and software.
constexpr double trusted_deviation = table::trusted_deviation;

/// 31 years: far beyond any launch, and its square can be summed without overflow. Tables contain no longer
/// latency, so that none reaches the statistics.
constexpr double latency_ns_max = table::limits::latency_ns;

/// How long a failure in a table of this device and software keeps its variant from being tried: 30 days. A
/// newer driver, toolkit or library may have mended the fault, but then the table is of other software.
constexpr std::int64_t failures_remembered_s = std::int64_t{30} * 24 * 60 * 60;

struct SeedVariant {
  std::uint32_t variant = 0;
  std::uint64_t count = 0;   ///< 0: named without a measurement
  double location_ns = 0.0;  ///< robust; 0 where unknown
  double mean_ns = 0.0;
  double variance_ns2 = 0.0;
  std::uint64_t failures = 0;
  std::int64_t failed_at = 0;  ///< seconds since 1970 of the latest failure; 0 where unknown
  /// The failures are recent enough to keep the variant from being tried (`failures_remembered_s`).
  bool set_aside = false;
  float log_cost = 0.0F;  ///< of the program's estimate, if there is one

  /// What the variant is compared by: the mean where no robust location is known.
  double compared_ns() const noexcept { return location_ns > 0 ? location_ns : mean_ns; }
};

struct SeedEntry {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  Key key = {};
  std::uint32_t incumbent = none;
  /// Of a snapshot: how often the program has reset the key.
  std::uint64_t generation = 0;
  /// Measured on this very device and software: evidence. Otherwise a guess about the order.
  bool trusted = false;
  std::string source = {};  ///< the file it came from
  std::vector<SeedVariant> variants = {};
};

}  // namespace adaptive::core
