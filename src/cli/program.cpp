#include "cli/program.hpp"

#include <algorithm>
#include <exception>
#include <ostream>

#include <adaptive/error.hpp>
#include <adaptive/version.hpp>

#include "cli/command.hpp"
#include "cli/fronts/fronts.hpp"
#include "formats/seeds.hpp"

namespace adaptive::inline v1::cli {
namespace {

int run_parsed(const std::vector<Command>& commands, const Streams& streams) {
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    const Exit exit = command.action(streams);
    // If the output is a pipe or a file on a full disk, the missing result must be an error.
    if (streams.out.flush()) return exit;
    throw Error(ErrorCode::io, "the result could not be written", "standard output");
  }
  return exit_usage;  // not reached: CLI11 requires a subcommand
}

}  // namespace

int run(std::vector<std::string> arguments, std::ostream& out, std::ostream& err) {
  table::formats::register_with_tables();
  try {
    CLI::App app("Picks the fastest variant of a kernel, and keeps learning.", "adaptive");
    app.set_version_flag("--version", std::string("adaptive ") + library_version);
    app.require_subcommand(1);
    app.get_formatter()->column_width(32);
    Streams streams{out, err, {"adaptive"}};
    streams.arguments.insert(streams.arguments.end(), arguments.begin(), arguments.end());
    const std::vector<Command> commands = {add_show(app),
                                           add_lookup(app),
                                           add_import(app),
                                           add_export(app),
                                           add_merge(app),
                                           add_apply(app),
                                           add_diff(app),
                                           add_tune(app),
                                           add_report(app),
                                           add_top(app),
                                           add_mode(app),
                                           add_devices(app),
                                           add_tables(app),
                                           add_validate(app),
                                           add_replay(app),
                                           add_completion(app),
                                           add_man(app),
                                           add_run_tuning(app),
                                           add_auto_tune_startup(app),
                                           add_autotune_mixed_bpw(app),
                                           add_tpu_tune(app),
                                           add_benchmark_moe(app)};
    try {
      std::reverse(arguments.begin(), arguments.end());  // CLI11 expects the arguments in reverse order
      app.parse(std::move(arguments));
    } catch (const CLI::ParseError& e) {
      return app.exit(e, out, err) == 0 ? exit_ok : exit_usage;
    }
    return run_parsed(commands, streams);
  } catch (const std::exception& e) {
    err << "adaptive: " << e.what() << "\n";
  }
  return exit_usage;
}

}  // namespace adaptive::cli
