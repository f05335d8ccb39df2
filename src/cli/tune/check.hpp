// tune --check: finds out whether a table is still correct.
#pragma once

#include <cstddef>
#include <filesystem>
#include <iosfwd>

#include "cli/program.hpp"
#include "cli/tune/console.hpp"
#include "tuning/race.hpp"

namespace adaptive::inline v1::tuning {
class Target;
}

namespace adaptive::inline v1::cli {

struct CheckOptions {
  std::filesystem::path table = {};
  std::size_t entries = 10;  ///< number of entries, chosen at random by race.seed
  double tolerance = 0.1;    ///< share by which a latency may have grown
  tuning::RaceOptions race = {};
  bool json = false;
};

/// Measures the incumbents of a sample of entries again, each together with the default. An entry has
/// regressed if its incumbent is slower than in the table by more than the tolerance and by more than the
/// noise of both measurements (table/comparison.hpp), if it is slower than the default by as much, if it
/// fails, or if it is no longer a candidate. Dimensions and labels are matched by name. Returns `exit_check`
/// if any entry has regressed. Throws `Error` if the table is for another device, has other dimensions, or
/// has no entries for the target's operation.
Exit check_table(const CheckOptions& options, tuning::Target& target, Console& console, std::ostream& out);

}  // namespace adaptive::cli
