// tune --check: is a table still true?
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
  std::size_t entries = 10;  ///< chosen by race.seed
  double tolerance = 0.1;    ///< share by which a latency may have grown
  tuning::RaceOptions race = {};
  bool json = false;
};

/// Measures the incumbents of a sample of entries again, each beside its default. An entry has regressed
/// where its incumbent is slower than the table says by more than the tolerance and by more than the noise of
/// both measurements (table/comparison.hpp), surely slower than the default, fails, or is no candidate any
/// more. Dimensions and labels are matched by name. `exit_check` where any entry has regressed. Throws
/// `Error` where the table is of another device, or has other dimensions or nothing of the target's
/// operation.
Exit check_table(const CheckOptions& options, tuning::Target& target, Console& console, std::ostream& out);

}  // namespace adaptive::cli
