// adaptive show TABLE
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <adaptive/error.hpp>

#include "base/key_values.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "cli/tables/standing.hpp"
#include "cli/tables/table_input.hpp"
#include "table/names.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct ShowArguments {
  std::filesystem::path table;
  std::string operation;
  std::string device;
  std::string default_variant;
  bool json = false;
};

Json record_json(const table::VariantRecord& record) {
  Json json = Json::object();
  if (record.count > 0) {
    json["count"] = record.count;
    json["mean_ns"] = record.mean_ns;
    json["variance_ns2"] = record.variance_ns2;
    json["location_ns"] = record.location_ns;
  }
  if (record.recent.count > 0)
    json["recent"] = {{"count", record.recent.count},
                      {"median_ns", record.recent.median_ns},
                      {"p95_ns", record.recent.p95_ns},
                      {"p99_ns", record.recent.p99_ns}};
  if (record.failures > 0) json["failures"] = record.failures;
  return json;
}

// The share of the rival's latency that the incumbent saves.
double gain(const Rival& rival) {
  return 1.0 - 1.0 / (1.0 + rival.comparison.change);
}

// The additional latency of the rival in percent; null if there is no rival.
Json rival_json(const std::optional<Rival>& rival) {
  if (!rival) return {};
  return {{"variant", rival->variant},
          {"slower_percent", 100.0 * rival->comparison.change},
          {"noise_percent", 100.0 * rival->comparison.noise}};
}

// The share of the default's latency that the incumbent saves, in percent; null if it is unknown.
Json gain_json(const Standing& standing, const std::string& default_variant) {
  if (!default_variant.empty() && standing.incumbent == default_variant) return 0.0;
  if (!standing.of_default) return {};
  return 100.0 * gain(*standing.of_default);
}

Json entry_json(const table::OperationTable& operation, const table::Entry& entry,
                const std::string& default_variant) {
  Json json;
  json["key"] = key_json(operation, entry.key);
  const Standing standing = standing_of(entry, default_variant);
  json["incumbent"] = standing.incumbent.empty() ? Json() : Json(standing.incumbent);
  if (standing.incumbent != entry.incumbent) json["overruled"] = entry.incumbent;
  json["origin"] = std::string(table::to_string(entry.origin));
  if (entry.time > 0) json["time"] = table::time_text(entry.time);
  json["confirmed"] = standing.confirmed;
  json["measured"] = standing.measured;
  json["runner_up"] = rival_json(standing.runner_up);
  json["gain_over_default_percent"] = gain_json(standing, default_variant);
  json["variants"] = Json::object();
  for (const auto& [name, record] : entry.variants) json["variants"][name] = record_json(record);
  return json;
}

Json operation_json(const table::OperationTable& operation, const std::string& asked_default) {
  const std::string default_variant = default_variant_of(operation, asked_default);
  Json json;
  json["dimensions"] = Json::array();
  for (const Dimension& dimension : operation.dimensions) {
    Json one = {{"name", dimension.name}, {"kind", std::string(table::to_string(dimension.kind))}};
    if (!dimension.labels.empty()) one["labels"] = dimension.labels;
    json["dimensions"].push_back(one);
  }
  json["variants"] = Json::object();
  for (const auto& [name, parameters] : operation.variants)
    json["variants"][name] = parameters_json(parameters);
  json["entries"] = Json::array();
  for (const auto& [key, entry] : operation.entries)
    json["entries"].push_back(entry_json(operation, entry, default_variant));
  return json;
}

Json table_json(const table::Table& table, const std::string& default_variant) {
  Json json;
  json["tool"] = table.tool;
  json["fingerprint"] = {{"device", table.fingerprint.device},
                         {"driver", table.fingerprint.driver},
                         {"toolkit", table.fingerprint.toolkit},
                         {"libraries", table.fingerprint.libraries}};
  json["operations"] = Json::object();
  for (const auto& [name, operation] : table.operations)
    json["operations"][name] = operation_json(operation, default_variant);
  if (!table.foreign.empty()) {
    json["foreign"] = Json::array();
    for (const table::ForeignFile& file : table.foreign)
      json["foreign"].push_back({{"format", file.format}, {"path", file.path}});
  }
  return json;
}

std::string incumbent_text(const table::Entry& entry, const std::string& incumbent) {
  const auto at = entry.variants.find(incumbent);
  if (at == entry.variants.end() || at->second.count == 0) return "not measured";
  const table::VariantRecord& record = at->second;
  std::string text = fmt::format("{:.3f} us, {} results", record.location_ns / 1000.0, record.count);
  if (const RecentLatencies& recent = record.recent; recent.count > 0)
    text += fmt::format(", of the latest {} median {:.3f}, 95 % {:.3f}, 99 % {:.3f} us", recent.count,
                        recent.median_ns / 1000.0, recent.p95_ns / 1000.0, recent.p99_ns / 1000.0);
  return text;
}

std::string standing_text(const Standing& standing, const table::Entry& entry,
                          const table::OperationTable& operation, const std::string& default_variant) {
  std::string text;
  if (standing.incumbent != entry.incumbent)
    text += "; the table names " + entry.incumbent + ", which its own measurements prove to be slower";
  if (standing.measured > 0) {
    text += standing.confirmed ? "; confirmed" : "; not confirmed";
    if (standing.measured < operation.variants.size())
      text += fmt::format(" ({} of {} variants measured)", standing.measured, operation.variants.size());
  }
  if (standing.runner_up)
    text += fmt::format("; runner-up {}, {:+.1f} %", standing.runner_up->variant,
                        100.0 * standing.runner_up->comparison.change);
  if (!default_variant.empty() && standing.incumbent == default_variant)
    text += "; it is the default";
  else if (standing.of_default)
    text += fmt::format("; gain over the default {}: {:.1f} %", default_variant,
                        100.0 * gain(*standing.of_default));
  return text;
}

void print_operation(const table::OperationTable& operation, const std::string& asked_default,
                     std::ostream& out) {
  out << fmt::format("{}: {} variants, {} keys\n", operation.name, operation.variants.size(),
                     operation.entries.size());
  for (const Dimension& dimension : operation.dimensions) {
    out << fmt::format("  {} ({})", dimension.name, table::to_string(dimension.kind));
    for (std::size_t i = 0; i < dimension.labels.size(); ++i)
      out << (i == 0 ? ": " : ", ") << dimension.labels[i];
    out << "\n";
  }
  const std::string default_variant = default_variant_of(operation, asked_default);
  for (const auto& [key, entry] : operation.entries) {
    const Standing standing = standing_of(entry, default_variant);
    out << fmt::format("  {}: {}, {}, {}{}\n", core::print(operation.dimensions, key),
                       standing.incumbent.empty() ? "no incumbent" : standing.incumbent,
                       incumbent_text(entry, standing.incumbent), table::to_string(entry.origin),
                       standing_text(standing, entry, operation, default_variant));
  }
}

void print_entries(const table::Table& table, const std::string& default_variant, std::ostream& out) {
  const Fingerprint& of = table.fingerprint;
  out << "device " << (of.device.empty() ? "unknown" : of.device);
  if (!of.driver.empty()) out << ", driver " << of.driver;
  if (!of.toolkit.empty()) out << ", toolkit " << of.toolkit;
  for (const auto& [library, version] : of.libraries) out << ", " << library << " " << version;
  if (!table.tool.empty()) out << "; written by " << table.tool;
  out << "\n";
  for (const auto& [name, operation] : table.operations) print_operation(operation, default_variant, out);
  if (!table.foreign.empty())
    out << table.foreign.size() << " files of other systems are kept for an export\n";
}

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

void require_default(const std::string& variant, const table::Table& table) {
  if (variant.empty()) return;
  for (const auto& [name, operation] : table.operations)
    if (operation.variants.contains(variant)) return;
  throw UsageError("--default: no operation shown has a variant " + variant);
}

Exit show(const ShowArguments& arguments, const Streams& streams) {
  TableInput input = load_table(arguments.table, {}, arguments.device);
  print_notices(input.notices, streams.err);
  if (!arguments.operation.empty()) {
    if (!input.table.operations.contains(arguments.operation))
      throw Error(ErrorCode::not_found, "has no operation " + arguments.operation, arguments.table.string(),
                  "it has " + core::joined(names_of(input.table.operations)));
    std::erase_if(input.table.operations, [&](const auto& one) { return one.first != arguments.operation; });
  }
  require_default(arguments.default_variant, input.table);
  if (arguments.json)
    print_json(table_json(input.table, arguments.default_variant), streams.out);
  else
    print_entries(input.table, arguments.default_variant, streams.out);
  return exit_ok;
}

}  // namespace

Command add_show(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("show", "Prints a table.");
  const auto a = std::make_shared<ShowArguments>();
  command->add_option("table", a->table, "A table, a file of another system, or a folder of them")
      ->required();
  command->add_option("--op", a->operation, "Show only this operation");
  command->add_option(
      "--device", a->device,
      "The device whose tables are shown if TABLE is a folder; default: this host's processor");
  command->add_option(
      "--default", a->default_variant,
      "The program's default variant, to show the gain over it; known for the library's families");
  command->add_flag("--json", a->json, "Print the result as JSON");
  return {command, [a](const Streams& streams) { return show(*a, streams); }};
}

}  // namespace adaptive::cli
