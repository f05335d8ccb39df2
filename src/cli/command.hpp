// What a subcommand is to the program.
#pragma once

#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/program.hpp"

namespace adaptive::inline v1::cli {

/// Where a subcommand writes. With `json` the result is one JSON value on `out`.
struct Streams {
  std::ostream& out;
  std::ostream& err;
  /// The whole command line, for what is written down about a run.
  std::vector<std::string> arguments = {};
};

/// Arguments that parse but make no sense together.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Each of these adds its subcommand with its options to `app`; what is returned does the work once the
/// arguments have been parsed. `Error` and `UsageError` become exit code 2.
using Action = std::function<Exit(const Streams&)>;

struct Command {
  CLI::App* app = nullptr;
  Action action = {};
};

Command add_apply(CLI::App& app);
Command add_devices(CLI::App& app);
Command add_diff(CLI::App& app);
Command add_export(CLI::App& app);
Command add_import(CLI::App& app);
Command add_lookup(CLI::App& app);
Command add_merge(CLI::App& app);
Command add_replay(CLI::App& app);
Command add_report(CLI::App& app);
Command add_show(CLI::App& app);
Command add_tables(CLI::App& app);
Command add_tune(CLI::App& app);
Command add_validate(CLI::App& app);

}  // namespace adaptive::cli
