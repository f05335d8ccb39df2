// Latencies of the variants of one shape, and what is written of them: traces and tables.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/variant.hpp>

#include "kernels/family.hpp"
#include "table/table.hpp"
#include "tuning/bench/bench.hpp"

namespace adaptive::tuning {

struct MeasuredVariant {
  std::string name = {};
  Parameters parameters = {};
  /// In the order in which they were measured: sample i of every variant belongs to the same round.
  std::vector<double> latency_us = {};
  /// Not `ok`: why the variant was not timed, or not to the end. It has no latencies then.
  TrialStatus status = TrialStatus::ok;
  std::string detail = {};  ///< the device's or the system's words, where the status is not `ok`
};

struct Measurement {
  std::string operation = {};
  std::vector<kernels::Dimension> dimensions = {};
  kernels::Shape shape = {};
  std::vector<MeasuredVariant> variants = {};
  int throttled_rounds = 0;  ///< that count for nothing, since the device was slowed down meanwhile
};

struct MeasureOptions {
  int rounds = 100;          ///< samples of each variant
  int warm_up = 3;           ///< rounds before them, not recorded
  std::uint64_t seed = 1;    ///< of the order within each round
  double seconds_max = 1e9;  ///< ends early, after at least ten rounds, or thirty where some were throttled
};

/// Every candidate takes its turn in every round, in a new random order, so that a slow spell of the machine
/// falls on all of them alike. A round with a throttled sample counts for no candidate and is repeated; after
/// three times `rounds` the measurement ends all the same. A candidate that fails is left out from then on.
/// Throws what the target throws.
Measurement measure(Target& target, const kernels::Shape& shape, const MeasureOptions& options);

/// One JSON object a line: {"op","key":{…},"variant","parameters":{…},"latency_us":[…]}. Variants
/// without latencies are left out.
void write_trace(std::ostream& out, const Measurement& measurement);

/// Adds an entry with count, mean, variance and robust location of every variant, the one with the least
/// location as incumbent. `time`: seconds since 1970. Throws `Error` where the table's operation of that name
/// has other dimensions.
void add_to_table(table::Table& table, const Measurement& measurement, std::int64_t time);

}  // namespace adaptive::tuning
