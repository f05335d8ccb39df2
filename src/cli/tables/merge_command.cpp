// adaptive merge TABLE... -o TABLE
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/version.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "files/file_lock.hpp"
#include "table/comparing/proof.hpp"
#include "table/merging/merge.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct MergeArguments {
  std::vector<std::filesystem::path> files;
  std::filesystem::path output;
  bool first_wins = false;
  bool json = false;
};

struct Conflict {
  std::filesystem::path file;
  table::Notice notice;
};

struct Merged {
  std::optional<table::Table> table;
  table::MergeCounts counts;
  std::vector<Conflict> conflicts;
  /// Entries whose measurements prove another variant than the incumbent that they name. A merge leaves the
  /// claims as the writers made them, so that the order of merges makes no difference; whatever reads the
  /// table follows the proof.
  std::size_t overruled = 0;
  std::vector<table::Notice> unprintable;
};

std::size_t count_overruled(const table::Table& table) {
  std::size_t count = 0;
  for (const auto& [name, operation] : table.operations)
    for (const auto& [key, entry] : operation.entries)
      if (table::lasting_incumbent(entry) != entry.incumbent) ++count;
  return count;
}

// Continues after a conflict, so that all conflicts are reported together.
Merged merge_all(const MergeArguments& arguments, const Streams& streams) {
  Merged merged;
  for (const std::filesystem::path& file : arguments.files) {
    table::ReadResult read = table::read(file);
    print_notices(read.notices, streams.err);
    if (!merged.table) {
      merged.table = std::move(read.table);
      merged.counts.writers_cut = table::cut(*merged.table, table::writers_max());
      continue;
    }
    for (table::Notice& notice : table::remove_conflicts(read.table, *merged.table))
      merged.conflicts.push_back({file, std::move(notice)});
    if (std::vector<table::Notice> rest = table::conflicts(*merged.table, read.table); !rest.empty()) {
      for (table::Notice& notice : rest) merged.conflicts.push_back({file, std::move(notice)});
      continue;
    }
    merged.counts += table::merge(*merged.table, read.table);
  }
  return merged;
}

Json merged_json(const Merged& merged, const MergeArguments& arguments, bool written) {
  Json conflicts = Json::array();
  for (const Conflict& conflict : merged.conflicts)
    conflicts.push_back(
        {{"file", conflict.file.string()}, {"where", conflict.notice.where}, {"what", conflict.notice.what}});
  return {{"output", arguments.output.string()},
          {"written", written},
          {"added", merged.counts.added},
          {"combined", merged.counts.combined},
          {"incumbents_changed", merged.counts.incumbents_changed},
          {"overruled", merged.overruled},
          {"writers_cut", merged.counts.writers_cut},
          {"unprintable", notices_json(merged.unprintable)},
          {"conflicts", conflicts}};
}

Exit merge(const MergeArguments& arguments, const Streams& streams) {
  // The output may be an input too, and other processes may save to it.
  const table::FileLock lock(arguments.output);
  Merged merged = merge_all(arguments, streams);
  const bool write = merged.conflicts.empty() || arguments.first_wins;
  if (write) {
    merged.table->tool = std::string("adaptive ") + library_version;
    merged.overruled = count_overruled(*merged.table);
    merged.unprintable = table::unprintable(*merged.table);
    table::write(*merged.table, arguments.output);
    print_notices(merged.unprintable, streams.err);
  }
  if (arguments.json) {
    print_json(merged_json(merged, arguments, write), streams.out);
  } else {
    for (const Conflict& conflict : merged.conflicts)
      streams.out << fmt::format("{}: {}: {}\n", conflict.file.string(), conflict.notice.where,
                                 conflict.notice.what);
    if (write)
      streams.out << fmt::format(
          "{}: {} tables; {} entries added to the first, {} combined, {} incumbents changed\n",
          arguments.output.string(), arguments.files.size(), merged.counts.added, merged.counts.combined,
          merged.counts.incumbents_changed);
    if (write && merged.counts.writers_cut > 0)
      streams.out << fmt::format(
          "an entry keeps the measurements of its newest {} writers; those of {} older ones were left out\n",
          table::writers_max(), merged.counts.writers_cut);
    if (write && merged.overruled > 0)
      streams.out << fmt::format(
          "{} entries name an incumbent that their own measurements prove to be slower than another variant, "
          "which programs will run\n",
          merged.overruled);
    if (!write)
      streams.out << "nothing was written; --first-wins leaves conflicting parts out of the later tables\n";
  }
  return write ? exit_ok : exit_check;
}

}  // namespace

Command add_merge(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "merge", "Merges tables. If they define a name differently, writes nothing and exits with 1.");
  const auto arguments = std::make_shared<MergeArguments>();
  command->add_option("tables", arguments->files, "Tables, in any order")->required();
  command->add_option("-o,--output", arguments->output, "The table to write; may be one of the tables")
      ->required()
      ->type_name("TABLE");
  command->add_flag("--first-wins", arguments->first_wins,
                    "Leave out parts of later tables that conflict with earlier ones");
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  return {command, [arguments](const Streams& streams) { return merge(*arguments, streams); }};
}

}  // namespace adaptive::cli
