// adaptive lookup TABLE [--op NAME] --key m=17,n=4096 [--like SYSTEM]
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <adaptive/error.hpp>
#include <adaptive/match.hpp>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "cli/tables/nearest_own.hpp"
#include "cli/tables/table_input.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "selector/lookup.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace formats = table::formats;

struct LookupArguments {
  std::filesystem::path table;
  std::string operation;
  std::string key;
  std::string like;
  std::string version;
  std::string device;
  double limit = 1.0;
  std::string nearest;
  std::vector<std::filesystem::path> mappings;
  bool no_predict = false;
  bool json = false;
};

Json shape_json(const formats::Shape& shape) {
  Json json = Json::object();
  for (const auto& [dimension, value] : shape) json[dimension] = parameter_json(value);
  return json;
}

Json result_json(const formats::LookupResult& result, const LookupArguments& arguments) {
  Json json;
  json["operation"] = result.operation;
  json["key"] = shape_json(result.key);
  json["variant"] = result.variant ? Json(*result.variant) : Json();
  json["parameters"] = Json::parse(result.parameters);
  json["match"] = std::string(to_string(result.match));
  json["distance"] = result.distance;
  if (result.match == MatchKind::predicted) json["deviation"] = result.deviation;
  if (!result.matched.empty()) json["matched"] = shape_json(result.matched);
  if (!result.source.empty()) json["source"] = result.source;
  if (!arguments.like.empty()) json["like"] = arguments.like;
  json["warnings"] = result.warnings;
  return json;
}

// `deviation` is the standard deviation of the logarithm of a latency.
std::string error_text(double deviation) {
  constexpr double percents_max = 0.5;
  const double factor = std::exp(deviation);
  return factor < 1.0 + percents_max ? fmt::format("{:.1f} %", 100.0 * (factor - 1.0))
                                     : fmt::format("a factor of {:.1f}", factor);
}

void print_text(const formats::LookupResult& result, const LookupArguments& arguments, std::ostream& out) {
  out << result.operation << " " << formats::print(result.key) << "\n";
  const std::string& nobody_knows =
      arguments.like.empty() ? "the program's default" : "the built-in default of " + arguments.like;
  out << "  variant:    " << result.variant.value_or(nobody_knows) << "\n";
  out << "  parameters: " << result.parameters << "\n";
  out << "  match:      " << to_string(result.match);
  if (result.match == MatchKind::nearest)
    out << fmt::format(", {:.3g} doublings from {}", result.distance, formats::print(result.matched));
  if (result.match == MatchKind::predicted)
    out << fmt::format("; its latency may be off by {} either way", error_text(result.deviation));
  out << "\n";
  if (!result.source.empty()) out << "  source:     " << result.source << "\n";
}

Json nearest_json(const formats::NearestVariant& nearest) {
  return {{"variant", nearest.name},
          {"distance", nearest.distance},
          {"compared", nearest.compared},
          {"without_counterpart", nearest.without_counterpart}};
}

void print_nearest(const formats::NearestVariant& nearest, const std::string& family, std::ostream& out) {
  out << fmt::format("  nearest:    {} of {}, {:.3g} doublings away in {}\n", nearest.name, family,
                     nearest.distance, core::joined(nearest.compared));
  if (!nearest.without_counterpart.empty())
    out << "              nothing here means " << core::joined(nearest.without_counterpart) << "\n";
}

Exit lookup(const LookupArguments& arguments, const Streams& streams) {
  if (!arguments.mappings.empty() && arguments.nearest.empty()) throw UsageError("--mapping needs --nearest");
  formats::LookupRequest request;
  request.operation = arguments.operation;
  request.key = formats::parse_key(arguments.key);
  request.version = arguments.version;
  request.nearest_limit = arguments.limit;
  request.predict = !arguments.no_predict;
  if (!arguments.device.empty()) request.key.emplace("device_name", arguments.device);
  if (!arguments.like.empty()) formats_named(arguments.like, "--like");
  const TableInput input = load_table(arguments.table, arguments.like, arguments.device, arguments.version);
  print_notices(input.notices, streams.err);
  if (input.table.operations.empty())
    throw Error(ErrorCode::corrupt, "has no operations", arguments.table.string(),
                "give a table with operations");
  const formats::LookupResult result = arguments.like.empty()
                                           ? formats::look_up(input.table, request)
                                           : formats::look_up_like(input.table, request, arguments.like);
  for (const std::string& warning : result.warnings) streams.err << "warning: " << warning << "\n";
  std::optional<formats::NearestVariant> nearest;
  if (!arguments.nearest.empty())
    nearest =
        nearest_own(input.table, request, result,
                    {.family = arguments.nearest, .mappings = arguments.mappings, .like = arguments.like});
  if (arguments.json) {
    Json json = result_json(result, arguments);
    if (nearest) json["nearest"] = nearest_json(*nearest);
    print_json(json, streams.out);
  } else {
    print_text(result, arguments, streams.out);
    if (nearest) print_nearest(*nearest, arguments.nearest, streams.out);
  }
  return exit_ok;
}

}  // namespace

Command add_lookup(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "lookup", "Prints the variant that a key gets, by this library's rule or by another system's.");
  const auto a = std::make_shared<LookupArguments>();
  command->add_option("table", a->table, "A table, a file of another system, or a folder of them")
      ->required();
  command->add_option("--op", a->operation, "The operation, if the table has several");
  command->add_option("--key", a->key, "m=17,n=4096: values of the dimensions that the table does not fix")
      ->required();
  command->add_option("--like", a->like, "Use the rule of one of these systems: " + formats::known_names())
      ->type_name("SYSTEM");
  command
      ->add_option("--nearest", a->nearest,
                   "Also print the variant of this family that is nearest to the row of another system")
      ->type_name("FAMILY");
  command->add_option("--mapping", a->mappings, "For --nearest: a declaration, as export --mapping")
      ->type_name("FILE");
  command->add_option("--prefer-version", a->version,
                      "The version in the names of folders; default: the newest");
  command->add_option("--device", a->device, "The device, if the folder or table has several devices");
  command->add_option("--limit", a->limit, "The largest distance of a nearest entry, in doublings")
      ->capture_default_str();
  command->add_flag("--no-predict", a->no_predict,
                    "Do not predict, as if LearningOptions::prediction were off");
  command->add_flag("--json", a->json, "Print the result as JSON");
  return {command, [a](const Streams& streams) { return lookup(*a, streams); }};
}

}  // namespace adaptive::cli
