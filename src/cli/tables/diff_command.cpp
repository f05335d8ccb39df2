// adaptive diff BEFORE AFTER
#include <cstddef>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "table/comparing/diff.hpp"

namespace adaptive::inline v1::cli {
namespace {

using table::Diff;
using table::EntryDiff;
using table::KeyChange;
using table::LatencyChange;
using table::OperationDiff;

struct DiffArguments {
  std::filesystem::path before;
  std::filesystem::path after;
  double tolerance_percent = 5.0;
  bool json = false;
};

struct Counts {
  std::size_t changed = 0;
  std::size_t added = 0;
  std::size_t removed = 0;
  // Keys whose running variant, compared with what ran before,
  std::size_t slower = 0;        // is slower by more than the tolerance and the noise
  std::size_t within_noise = 0;  // is slower by more than the tolerance, but not by more than the noise
  std::size_t failing = 0;       // fails now
};

bool exceeds_tolerance(const LatencyChange& change, const DiffArguments& arguments) {
  return change.is_compared() && change.comparison.change > arguments.tolerance_percent / 100.0;
}

bool is_regression(const LatencyChange& change, const DiffArguments& arguments) {
  return change.is_compared() && change.comparison.is_regression(arguments.tolerance_percent / 100.0);
}

Counts count(const Diff& diff, const DiffArguments& arguments) {
  Counts counts;
  for (const OperationDiff& operation : diff.operations)
    for (const EntryDiff& entry : operation.entries) {
      ++(entry.change == KeyChange::added     ? counts.added
         : entry.change == KeyChange::removed ? counts.removed
                                              : counts.changed);
      const bool is_slower = is_regression(entry.running, arguments);
      counts.slower += is_slower ? 1 : 0;
      counts.within_noise += exceeds_tolerance(entry.running, arguments) && !is_slower ? 1 : 0;
      counts.failing += entry.running.fails_now ? 1 : 0;
    }
  return counts;
}

std::string named(const std::string& incumbent) {
  return incumbent.empty() ? "no incumbent" : incumbent;
}

std::string_view verdict(const LatencyChange& change, const DiffArguments& arguments) {
  if (is_regression(change, arguments)) return change.runs ? "  SLOWER" : "  slower, but does not run";
  return change.comparison.within_noise() || exceeds_tolerance(change, arguments) ? "  within the noise" : "";
}

// A change within the noise is shown only if it exceeds the tolerance, since it may be a regression.
void print_diff(const LatencyChange& change, const DiffArguments& arguments, std::ostream& out) {
  const table::Comparison& comparison = change.comparison;
  if (change.fails_now) out << fmt::format("    {}: fails now\n", change.variant);
  if (!change.is_compared() || (comparison.within_noise() && !exceeds_tolerance(change, arguments))) return;
  out << fmt::format("    {}: {:.3f} us, now {:.3f} us: {:+.1f} %, noise {:.1f} %{}\n", change.variant,
                     change.before.location_ns / 1e3, change.after.location_ns / 1e3,
                     100.0 * comparison.change, 100.0 * comparison.noise, verdict(change, arguments));
}

void print_diff(const EntryDiff& entry, const DiffArguments& arguments, std::ostream& out) {
  switch (entry.change) {
    case KeyChange::added:
      out << fmt::format("  {}: new, {}\n", entry.key, named(entry.after));
      return;
    case KeyChange::removed:
      out << fmt::format("  {}: gone, was {}\n", entry.key, named(entry.before));
      return;
    case KeyChange::changed:
      break;
  }
  out << fmt::format("  {}: {}", entry.key, named(entry.before));
  if (entry.after != entry.before) out << ", now " << named(entry.after);
  out << "\n";
  for (const LatencyChange& change : entry.latencies) print_diff(change, arguments, out);
  if (entry.after != entry.before) print_diff(entry.running, arguments, out);
}

void print_diff(const Diff& diff, const Counts& counts, const DiffArguments& arguments, std::ostream& out) {
  for (const std::string& change : diff.fingerprint) out << change << "\n";
  for (const OperationDiff& operation : diff.operations) {
    out << operation.name << "\n";
    for (const std::string& change : operation.definitions) out << "  " << change << "\n";
    for (const EntryDiff& entry : operation.entries) print_diff(entry, arguments, out);
  }
  out << fmt::format(
      "{} keys changed, {} new, {} gone; {} keys slower by more than {:g} % and the noise, {} by "
      "more than {:g} % but within the noise, {} failing now\n",
      counts.changed, counts.added, counts.removed, counts.slower, arguments.tolerance_percent,
      counts.within_noise, arguments.tolerance_percent, counts.failing);
}

Json diff_json(const LatencyChange& change, const DiffArguments& arguments) {
  return {{"variant", change.variant},
          {"before_ns", change.is_compared() ? Json(change.before.location_ns) : Json()},
          {"after_ns", change.is_compared() ? Json(change.after.location_ns) : Json()},
          {"change_percent", 100.0 * change.comparison.change},
          {"noise_percent", 100.0 * change.comparison.noise},
          {"slower", is_regression(change, arguments)},
          {"within_noise", change.is_compared() && change.comparison.within_noise()},
          {"fails_now", change.fails_now},
          {"runs", change.runs}};
}

Json diff_json(const EntryDiff& entry, const DiffArguments& arguments) {
  constexpr const char* changes[] = {"changed", "added", "removed"};
  Json latencies = Json::array();
  for (const LatencyChange& change : entry.latencies) latencies.push_back(diff_json(change, arguments));
  return {{"key", entry.key},
          {"change", changes[static_cast<std::size_t>(entry.change)]},
          {"incumbent_before", entry.before},
          {"incumbent_after", entry.after},
          {"running", entry.change == KeyChange::changed ? diff_json(entry.running, arguments) : Json()},
          {"variants", latencies}};
}

Json diff_json(const Diff& diff, const Counts& counts, const DiffArguments& arguments) {
  Json operations = Json::array();
  for (const OperationDiff& operation : diff.operations) {
    Json entries = Json::array();
    for (const EntryDiff& entry : operation.entries) entries.push_back(diff_json(entry, arguments));
    operations.push_back(
        {{"name", operation.name}, {"definitions", operation.definitions}, {"entries", entries}});
  }
  return {{"keys_changed", counts.changed},
          {"keys_added", counts.added},
          {"keys_removed", counts.removed},
          {"slower", counts.slower},
          {"slower_within_noise", counts.within_noise},
          {"failing_now", counts.failing},
          {"tolerance_percent", arguments.tolerance_percent},
          {"fingerprint", diff.fingerprint},
          {"operations", operations}};
}

Exit diff_command(const DiffArguments& arguments, const Streams& streams) {
  const table::ReadResult before = table::read(arguments.before);
  const table::ReadResult after = table::read(arguments.after);
  print_notices(before.notices, streams.err);
  print_notices(after.notices, streams.err);
  const Diff diff = table::diff(before.table, after.table);
  const Counts counts = count(diff, arguments);
  if (arguments.json)
    print_json(diff_json(diff, counts, arguments), streams.out);
  else
    print_diff(diff, counts, arguments, streams.out);
  return counts.slower + counts.failing == 0 ? exit_ok : exit_check;
}

}  // namespace

Command add_diff(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("diff",
                                               "Prints what changed. Exits with 1 if a key runs a variant "
                                               "that is slower than what it ran before, by more "
                                               "than the tolerance and the noise, or that fails now.");
  const auto arguments = std::make_shared<DiffArguments>();
  command->add_option("before", arguments->before, "The older table")->required()->type_name("TABLE");
  command->add_option("after", arguments->after, "The newer table")->required()->type_name("TABLE");
  command
      ->add_option("--tolerance", arguments->tolerance_percent, "Percentage by which a variant may be slower")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  return {command, [arguments](const Streams& streams) { return diff_command(*arguments, streams); }};
}

}  // namespace adaptive::cli
