// The tool as a function.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace adaptive::inline v1::cli {

/// Exit codes of every subcommand.
enum Exit : int {
  exit_ok = 0,
  exit_check = 1,  ///< a check did not hold
  exit_usage = 2,  ///< wrong usage or wrong input
};

/// Runs the tool. `arguments` does not include the program's name. Results go to `out`, messages to `err`.
/// Does not throw.
int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err);

}  // namespace adaptive::cli
