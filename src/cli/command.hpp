// The interface between a subcommand and the program.
#pragma once

#include <functional>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/program.hpp"

namespace adaptive::inline v1::cli {

/// The streams of a subcommand. With `json` the result is one JSON value on `out`.
struct Streams {
  std::ostream& out;
  std::ostream& err;
  /// The whole command line, for the metadata of a run.
  std::vector<std::string> arguments = {};
};

/// The arguments can be parsed but contradict each other.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Each of these functions adds a subcommand with its options to `app`. The returned action does the work
/// after the arguments have been parsed. `Error` and `UsageError` lead to exit code 2.
using Action = std::function<Exit(const Streams&)>;

struct Command {
  CLI::App* app = nullptr;
  Action action = {};
};

Command add_apply(CLI::App& app);
Command add_completion(CLI::App& app);
Command add_devices(CLI::App& app);
Command add_diff(CLI::App& app);
Command add_export(CLI::App& app);
Command add_import(CLI::App& app);
Command add_lookup(CLI::App& app);
Command add_man(CLI::App& app);
Command add_merge(CLI::App& app);
Command add_mode(CLI::App& app);
Command add_replay(CLI::App& app);
Command add_report(CLI::App& app);
Command add_show(CLI::App& app);
Command add_tables(CLI::App& app);
Command add_top(CLI::App& app);
Command add_tune(CLI::App& app);
Command add_validate(CLI::App& app);

}  // namespace adaptive::cli
