// adaptive apply RUN|TABLE TABLE
#include "cli/tables/apply_command.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/version.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "cli/tables/table_input.hpp"
#include "table/comparing/apply.hpp"
#include "table/update.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

table::Table read(const fs::path& path, const Streams& streams) {
  table::ReadResult result = table::read(path);
  print_notices(result.notices, streams.err);
  return std::move(result.table);
}

Json applied_json(const ApplyArguments& arguments, const std::vector<table::AppliedEntry>& entries,
                  std::size_t accepted, bool written) {
  Json list = Json::array();
  for (const table::AppliedEntry& entry : entries)
    list.push_back({{"operation", entry.operation},
                    {"key", entry.key},
                    {"accepted", entry.accepted},
                    {"reason", entry.reason},
                    {"before", entry.before},
                    {"after", entry.after},
                    {"before_ns", entry.before_ns > 0.0 ? Json(entry.before_ns) : Json()},
                    {"after_ns", entry.after_ns > 0.0 ? Json(entry.after_ns) : Json()}});
  return {{"table", arguments.table.string()},
          {"accepted", accepted},
          {"skipped", entries.size() - accepted},
          {"written", written},
          {"entries", list}};
}

void print_applied(const std::vector<table::AppliedEntry>& entries, std::ostream& out) {
  for (const table::AppliedEntry& entry : entries)
    out << fmt::format("{} {} {}: {}{}{} ({})\n", entry.accepted ? "accepted" : "skipped ", entry.operation,
                       entry.key, entry.before, entry.before.empty() ? "" : " -> ", entry.after,
                       entry.reason);
}

std::string summary(const ApplyArguments& arguments, const std::vector<table::AppliedEntry>& entries,
                    std::size_t accepted, bool written) {
  std::size_t without_incumbent = 0, compared = 0;
  double saved = 0.0;
  for (const table::AppliedEntry& entry : entries) {
    if (!entry.accepted) continue;
    if (entry.before.empty()) ++without_incumbent;
    if (entry.before.empty() || entry.before_ns == 0.0 || entry.after_ns == 0.0) continue;
    ++compared;
    saved += 1.0 - entry.after_ns / entry.before_ns;
  }
  std::string text = fmt::format("{}: {} of {} entries accepted, {} skipped", arguments.table.string(),
                                 accepted, entries.size(), entries.size() - accepted);
  if (without_incumbent > 0) text += fmt::format("; {} new", without_incumbent);
  if (compared > 0)
    text += fmt::format("; {} replaced, on average {:.1f} % faster", compared,
                        100.0 * saved / static_cast<double>(compared));
  return text + (written             ? "; the table was written"
                 : arguments.dry_run ? "; dry run, nothing was written"
                                     : "; nothing was written");
}

}  // namespace

table::Table table_to_apply(const fs::path& source, const Streams& streams) {
  // A tuning run is a folder; its results are a table.
  const fs::path file = fs::is_directory(source) ? source / "results.json" : source;
  TableInput input = load_table(file);
  print_notices(input.notices, streams.err);
  return std::move(input.table);
}

Exit apply(const table::Table& source, const ApplyArguments& arguments, const Streams& streams) {
  std::vector<table::AppliedEntry> entries;
  std::size_t accepted = 0;
  const auto change = [&](table::Table& table) {
    entries = table::apply(table, source);
    accepted = static_cast<std::size_t>(std::count_if(
        entries.begin(), entries.end(), [](const table::AppliedEntry& entry) { return entry.accepted; }));
    table.tool = std::string("adaptive ") + library_version;
    return accepted > 0;
  };
  if (arguments.dry_run) {  // works also if the table cannot be written
    table::Table table;
    if (fs::exists(arguments.table)) table = read(arguments.table, streams);
    change(table);
  } else {
    print_notices(table::update(arguments.table, change), streams.err);
  }
  const bool written = accepted > 0 && !arguments.dry_run;
  if (arguments.json) {
    print_json(applied_json(arguments, entries, accepted, written), streams.out);
  } else {
    print_applied(entries, streams.out);
    streams.out << summary(arguments, entries, accepted, written) << "\n";
  }
  return exit_ok;
}

Command add_apply(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("apply", "Copies entries of a run or table that are faster by more than the noise.");
  const auto arguments = std::make_shared<ApplyArguments>();
  command->add_option("source", arguments->source, "A tuning run's folder, or a table")
      ->required()
      ->type_name("RUN|TABLE");
  command->add_option("table", arguments->table, "The table to change; it is created if it does not exist")
      ->required()
      ->type_name("TABLE");
  command->add_flag("--dry-run", arguments->dry_run, "Print what would be done and write nothing");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  return {command, [arguments](const Streams& streams) {
            return apply(table_to_apply(arguments->source, streams), *arguments, streams);
          }};
}

}  // namespace adaptive::cli
