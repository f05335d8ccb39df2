// The entries of tables for an operation, with names resolved to indices, as the core uses them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <adaptive/key.hpp>

#include "base/limits.hpp"
#include "table/comparing/proof.hpp"

namespace adaptive::inline v1::core {

/// Extra standard deviation of log latency assumed for a variant in a table from another device or software
/// stack.
constexpr double foreign_deviation = 0.15;
/// The same for a table that was measured on this very device and software.
constexpr double trusted_deviation = table::trusted_deviation;

/// Longest valid latency, in nanoseconds: 31 years, far beyond any launch, and its square can be summed
/// without overflow. Tables contain no longer latency either, so that none reaches the statistics.
constexpr double latency_ns_max = table::limits::latency_ns;

/// Number of seconds for which a failure in a table of this device and software keeps the variant from being
/// tried: 30 days. A new driver, toolkit or library may fix the fault sooner, but then the table is one of
/// other software.
constexpr std::int64_t failures_remembered_s = std::int64_t{30} * 24 * 60 * 60;

struct SeedVariant {
  std::uint32_t variant = 0;
  std::uint64_t count = 0;   ///< number of results; 0: the table names the variant without a measurement
  double location_ns = 0.0;  ///< robust latency; 0 if unknown
  double mean_ns = 0.0;
  double variance_ns2 = 0.0;
  std::uint64_t failures = 0;
  std::int64_t failed_at = 0;  ///< seconds since 1970 of the latest failure; 0 if unknown
  /// Whether the failures are recent enough to keep the variant from being tried (`failures_remembered_s`).
  bool set_aside = false;
  float log_cost = 0.0F;  ///< log of the program's estimate, if it gives estimates

  /// The latency by which the variant is compared: the robust one or, if that is unknown, the mean.
  double compared_ns() const noexcept { return location_ns > 0 ? location_ns : mean_ns; }
};

struct SeedEntry {
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  Key key = {};
  std::uint32_t incumbent = none;
  /// In a snapshot: the number of times that the program has reset the key.
  std::uint64_t generation = 0;
  /// Whether the entry was measured on this very device and software. Only then it is evidence; otherwise it
  /// is a guess about the order of the variants.
  bool trusted = false;
  std::string source = {};  ///< the file from which the entry was read
  std::vector<SeedVariant> variants = {};
};

}  // namespace adaptive::core
