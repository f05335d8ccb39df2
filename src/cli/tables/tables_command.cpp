// adaptive tables
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <adaptive/device.hpp>
#include <adaptive/tables.hpp>

#include "base/device/compatibility.hpp"
#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "table/search.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

struct TablesArguments {
  std::string device;
  std::string version;
  bool json = false;
};

struct Place {
  fs::path path;
  const char* origin = "";
  bool exists = false;
  std::vector<table::FoundTable> tables = {};
};

std::vector<Place> find_places(const TablesArguments& arguments, const Fingerprint& device,
                               std::vector<table::Notice>& notices) {
  const TableSearch search = TableSearch::standard(arguments.version);
  const fs::path own = user_tables();
  std::vector<Place> places;
  for (const fs::path& path : search.places) places.push_back({path, "ADAPTIVE_TABLES"});
  for (const fs::path& path : search.defaults)
    places.push_back({path, path == own ? "your own" : "installed"});
  for (Place& place : places) {
    std::error_code error;
    place.exists = fs::exists(place.path, error);
    if (place.exists)
      place.tables =
          table::find({.places = {place.path}, .version = arguments.version}, device.device, notices);
  }
  return places;
}

const char* use_text(core::Compatibility compatibility) {
  switch (compatibility) {
    case core::Compatibility::exact:
      return "measurements of this device";
    case core::Compatibility::prior:
      return "decides which variants are tried first";
    case core::Compatibility::unusable:
      return "not used";
  }
  return "";
}

void print_place(const Place& place, const Fingerprint& device, std::ostream& out) {
  out << fmt::format("{} ({}){}\n", place.path.string(), place.origin,
                     !place.exists          ? ": does not exist"
                     : place.tables.empty() ? ": no table for this device"
                                            : "");
  for (const table::FoundTable& found : place.tables) {
    const core::Judgement judgement = core::judge(found.table.fingerprint, device);
    out << fmt::format("  {}: {}{}\n", found.path.string(), use_text(judgement.compatibility),
                       judgement.reason.empty() ? "" : " (" + judgement.reason + ")");
    for (const auto& [name, operation] : found.table.operations)
      out << fmt::format("    {}: {} variants, {} keys\n", name, operation.variants.size(),
                         operation.entries.size());
  }
}

Json place_json(const Place& place, const Fingerprint& device) {
  constexpr const char* uses[] = {"exact", "prior", "unusable"};
  Json tables = Json::array();
  for (const table::FoundTable& found : place.tables) {
    const core::Judgement judgement = core::judge(found.table.fingerprint, device);
    Json operations = Json::object();
    for (const auto& [name, operation] : found.table.operations)
      operations[name] = {{"variants", operation.variants.size()}, {"keys", operation.entries.size()}};
    tables.push_back({{"file", found.path.string()},
                      {"use", uses[static_cast<std::size_t>(judgement.compatibility)]},
                      {"reason", judgement.reason},
                      {"operations", operations}});
  }
  return {
      {"place", place.path.string()}, {"origin", place.origin}, {"exists", place.exists}, {"tables", tables}};
}

Exit list_tables(const TablesArguments& arguments, const Streams& streams) {
  Fingerprint device = host_device();
  if (!arguments.device.empty()) device = {.device = arguments.device};
  std::vector<table::Notice> notices;
  const std::vector<Place> places = find_places(arguments, device, notices);
  print_notices(notices, streams.err);
  if (arguments.json) {
    Json list = Json::array();
    for (const Place& place : places) list.push_back(place_json(place, device));
    const Json json = {{"device", device.device},
                       {"folder", normalised_device(device.device)},
                       {"places", list},
                       {"notices", notices_json(notices)}};
    print_json(json, streams.out);
    return exit_ok;
  }
  streams.out << fmt::format("{}, whose tables are in folders named {}\n", device.device,
                             normalised_device(device.device));
  for (const Place& place : places) print_place(place, device, streams.out);
  return exit_ok;
}

}  // namespace

Command add_tables(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "tables", "Lists the places where programs look for tables, most trusted first, and their tables.");
  const auto a = std::make_shared<TablesArguments>();
  command->add_option("--device", a->device,
                      "The device whose tables are listed; default: this host's processor");
  command->add_option("--prefer-version", a->version,
                      "The version in the names of folders; default: the newest");
  command->add_flag("--json", a->json, "Print the result as JSON");
  return {command, [a](const Streams& streams) { return list_tables(*a, streams); }};
}

}  // namespace adaptive::cli
