// adaptive lookup TABLE [--op NAME] --key m=17,n=4096 [--like SYSTEM]
#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <adaptive/match.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "cli/table_input.hpp"
#include "table/formats/file_name.hpp"
#include "table/formats/lookup.hpp"
#include "table/formats/nearest.hpp"

namespace adaptive::cli {
namespace {

namespace formats = table::formats;

struct Arguments {
  std::filesystem::path table;
  std::string operation;
  std::string key;
  std::string like;
  std::string version;
  std::string device;
  double limit = 1.0;
  bool json = false;
};

// A comma ends a value only where another dimension follows: "bits=2,4,hidden=4096".
std::map<std::string, std::string> parse_key(const std::string& text) {
  const auto fields = formats::parse_fields(text);
  if (!fields) throw UsageError("--key: \"" + text + "\" is not of the form m=17,n=4096");
  std::map<std::string, std::string> key;
  for (const auto& [name, value] : *fields)
    if (!key.emplace(name, value).second) throw UsageError("--key: " + name + " stands there twice");
  return key;
}

Json shape_json(const formats::Shape& shape) {
  Json json = Json::object();
  for (const auto& [dimension, value] : shape) json[dimension] = parameter_json(value);
  return json;
}

Json result_json(const formats::LookupResult& result, const Arguments& arguments) {
  Json json;
  json["operation"] = result.operation;
  json["key"] = shape_json(result.key);
  json["variant"] = result.variant ? Json(*result.variant) : Json();
  json["parameters"] = Json::parse(result.parameters);
  json["match"] = std::string(to_string(result.match));
  json["distance"] = result.distance;
  if (!result.matched.empty()) json["matched"] = shape_json(result.matched);
  if (!result.source.empty()) json["source"] = result.source;
  if (!arguments.like.empty()) json["like"] = arguments.like;
  json["warnings"] = result.warnings;
  return json;
}

void print_text(const formats::LookupResult& result, std::ostream& out) {
  out << result.operation << " " << formats::print(result.key) << "\n";
  out << "  variant:    " << result.variant.value_or("unknown") << "\n";
  out << "  parameters: " << result.parameters << "\n";
  out << "  match:      " << to_string(result.match);
  if (result.match == MatchKind::nearest)
    out << fmt::format(", {:.3g} doublings from {}", result.distance, formats::print(result.matched));
  out << "\n";
  if (!result.source.empty()) out << "  source:     " << result.source << "\n";
}

Exit lookup(const Arguments& arguments, const Streams& streams) {
  formats::LookupRequest request;
  request.operation = arguments.operation;
  request.key = parse_key(arguments.key);
  request.version = arguments.version;
  request.nearest_limit = arguments.limit;
  if (!arguments.device.empty()) request.key.emplace("device_name", arguments.device);
  if (!arguments.like.empty()) formats_named(arguments.like, "--like");
  const TableInput input = load_table(arguments.table, arguments.like, arguments.device, arguments.version);
  print_notices(input.notices, streams.err);
  const formats::LookupResult result = arguments.like.empty()
                                           ? formats::look_up(input.table, request)
                                           : formats::look_up_like(input.table, request, arguments.like);
  for (const std::string& warning : result.warnings) streams.err << "warning: " << warning << "\n";
  if (arguments.json)
    streams.out << result_json(result, arguments).dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  else
    print_text(result, streams.out);
  return exit_ok;
}

}  // namespace

Command add_lookup(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("lookup", "Tells which variant a key gets, by our rule or another system's.");
  const auto a = std::make_shared<Arguments>();
  command->add_option("table", a->table, "A table, a file of another system, or a folder of them")
      ->required();
  command->add_option("--op", a->operation, "The operation, where the table has several");
  command->add_option("--key", a->key, "m=17,n=4096: what the table does not fix itself")->required();
  command->add_option("--like", a->like, "By the rule of one of " + formats::known_names())
      ->type_name("SYSTEM");
  command->add_option("--prefer-version", a->version, "Of version folders; left out, the newest");
  command->add_option("--device", a->device, "Where a folder or a table is of several devices");
  command->add_option("--limit", a->limit, "The largest distance of a nearest entry, in doublings")
      ->capture_default_str();
  command->add_flag("--json", a->json, "The result as JSON");
  return {command, [a](const Streams& streams) { return lookup(*a, streams); }};
}

}  // namespace adaptive::cli
