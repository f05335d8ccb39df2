// adaptive show TABLE
#include <cstddef>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>

#include <fmt/format.h>

#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "cli/table_input.hpp"
#include "core/distance.hpp"
#include "table/names.hpp"
#include "table/time_text.hpp"

namespace adaptive::cli {
namespace {

struct ShowArguments {
  std::filesystem::path table;
  std::string operation;
  std::string device;
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
  if (record.failures > 0) json["failures"] = record.failures;
  return json;
}

Json entry_json(const table::OperationTable& operation, const table::Entry& entry) {
  Json json;
  json["key"] = key_json(operation, entry.key);
  json["incumbent"] = entry.incumbent.empty() ? Json() : Json(entry.incumbent);
  json["origin"] = std::string(table::to_string(entry.origin));
  if (entry.time > 0) json["time"] = table::time_text(entry.time);
  json["variants"] = Json::object();
  for (const auto& [name, record] : entry.variants) json["variants"][name] = record_json(record);
  return json;
}

Json operation_json(const table::OperationTable& operation) {
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
  for (const auto& [key, entry] : operation.entries) json["entries"].push_back(entry_json(operation, entry));
  return json;
}

Json table_json(const table::Table& table) {
  Json json;
  json["tool"] = table.tool;
  json["fingerprint"] = {{"device", table.fingerprint.device},
                         {"driver", table.fingerprint.driver},
                         {"toolkit", table.fingerprint.toolkit},
                         {"libraries", table.fingerprint.libraries}};
  json["operations"] = Json::object();
  for (const auto& [name, operation] : table.operations) json["operations"][name] = operation_json(operation);
  if (!table.foreign.empty()) {
    json["foreign"] = Json::array();
    for (const table::ForeignFile& file : table.foreign)
      json["foreign"].push_back({{"format", file.format}, {"path", file.path}});
  }
  return json;
}

std::string incumbent_text(const table::Entry& entry) {
  const auto at = entry.variants.find(entry.incumbent);
  if (at == entry.variants.end() || at->second.count == 0) return "not measured";
  const table::VariantRecord& record = at->second;
  return fmt::format("{:.3f} us, {} results", record.location_ns / 1000.0, record.count);
}

void print_operation(const table::OperationTable& operation, std::ostream& out) {
  out << fmt::format("{}: {} variants, {} keys\n", operation.name, operation.variants.size(),
                     operation.entries.size());
  for (const Dimension& dimension : operation.dimensions) {
    out << fmt::format("  {} ({})", dimension.name, table::to_string(dimension.kind));
    for (std::size_t i = 0; i < dimension.labels.size(); ++i)
      out << (i == 0 ? ": " : ", ") << dimension.labels[i];
    out << "\n";
  }
  for (const auto& [key, entry] : operation.entries)
    out << fmt::format("  {}  {}  {}  {}\n", core::print(operation.dimensions, key),
                       entry.incumbent.empty() ? "no incumbent" : entry.incumbent, incumbent_text(entry),
                       table::to_string(entry.origin));
}

void print_table(const table::Table& table, std::ostream& out) {
  const Fingerprint& of = table.fingerprint;
  out << "device " << (of.device.empty() ? "unknown" : of.device);
  if (!of.driver.empty()) out << ", driver " << of.driver;
  if (!of.toolkit.empty()) out << ", toolkit " << of.toolkit;
  for (const auto& [library, version] : of.libraries) out << ", " << library << " " << version;
  if (!table.tool.empty()) out << "; written by " << table.tool;
  out << "\n";
  for (const auto& [name, operation] : table.operations) print_operation(operation, out);
  if (!table.foreign.empty())
    out << table.foreign.size() << " files of other systems are kept for an export\n";
}

Exit show(const ShowArguments& arguments, const Streams& streams) {
  TableInput input = load_table(arguments.table, {}, arguments.device);
  print_notices(input.notices, streams.err);
  if (!arguments.operation.empty()) {
    if (!input.table.operations.contains(arguments.operation))
      throw Error("the table has no operation " + arguments.operation, arguments.table.string());
    std::erase_if(input.table.operations, [&](const auto& one) { return one.first != arguments.operation; });
  }
  if (arguments.json)
    streams.out << table_json(input.table).dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  else
    print_table(input.table, streams.out);
  return exit_ok;
}

}  // namespace

Command add_show(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("show", "Prints a table.");
  const auto a = std::make_shared<ShowArguments>();
  command->add_option("table", a->table, "A table, a file of another system, or a folder of them")
      ->required();
  command->add_option("--op", a->operation, "This operation alone");
  command->add_option("--device", a->device, "Whose tables of a folder; left out, this host's processor");
  command->add_flag("--json", a->json, "The result as JSON");
  return {command, [a](const Streams& streams) { return show(*a, streams); }};
}

}  // namespace adaptive::cli
