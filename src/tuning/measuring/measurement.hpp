// Measures latencies of the variants of one shape, and writes them to traces and tables.
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

namespace adaptive::inline v1::tuning {

struct MeasuredVariant {
  std::string name = {};
  Parameters parameters = {};
  /// In the order of measurement: sample i of every variant belongs to the same round.
  std::vector<double> latency_us = {};
  /// If not `ok`: the reason why the variant was not timed, or not to the end. It then has no latencies.
  TrialStatus status = TrialStatus::ok;
  std::string detail = {};  ///< message of the device or the system if the status is not `ok`
};

struct Measurement {
  std::string operation = {};
  std::vector<kernels::Dimension> dimensions = {};
  kernels::Shape shape = {};
  std::vector<MeasuredVariant> variants = {};
  int throttled_rounds = 0;  ///< rounds that do not count, since the device was throttled
};

struct MeasureOptions {
  int rounds = 100;          ///< samples of each variant
  int warm_up = 3;           ///< rounds before them, which are not recorded
  std::uint64_t seed = 1;    ///< of the random order within each round
  double seconds_max = 1e9;  ///< time limit; at least ten rounds are made, or thirty if some were throttled
};

/// Measures every candidate once in each round, in a new random order, so that a slow period of the machine
/// affects all of them alike. A round with a throttled sample counts for no candidate and is repeated, but
/// there are at most three times `rounds` rounds. A candidate that fails is left out afterwards. Throws what
/// the target throws.
Measurement measure(Target& target, const kernels::Shape& shape, const MeasureOptions& options);

/// Writes one JSON object per line: {"op","key":{…},"variant","parameters":{…},"latency_us":[…]}. Variants
/// without latencies are left out.
void write_trace(std::ostream& out, const Measurement& measurement);

/// Adds an entry with count, mean, variance and robust location of every variant. The variant with the least
/// location is the incumbent. `time` is in seconds since 1970. Throws `Error` if the table's operation of
/// that name has other dimensions.
void add_to_table(table::Table& table, const Measurement& measurement, std::int64_t time);

}  // namespace adaptive::tuning
