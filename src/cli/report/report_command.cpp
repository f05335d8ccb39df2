// adaptive report RUN, and adaptive report TABLE AUDIT…
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

#include "base/time_text.hpp"
#include "cli/command.hpp"
#include "cli/json_fields.hpp"
#include "cli/json_output.hpp"
#include "cli/report/report_page.hpp"
#include "cli/report/serving_data.hpp"
#include "cli/report/serving_page.hpp"
#include "cli/tune/results.hpp"
#include "cli/tune/run_folder.hpp"
#include "files/atomic_file.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::vector<fs::path> paths;
  fs::path before;
  std::string default_variant;
  fs::path output;
  bool json = false;
};

// Uses only the log, so that a run that was killed, or is still running, has a report as well.
std::vector<tuning::TunedShape> retell(const RunFolder& folder, const RunPlan& plan) {
  tuning::TrialLog log;
  std::vector<std::string> names;
  std::set<std::string> known;
  const std::vector<tuning::TrialRow> rows = tuning::read_trials(folder.trials());
  log.append(rows);
  for (const tuning::TrialRow& row : rows)
    if (row.operation == plan.family && known.insert(row.shape).second) names.push_back(row.shape);
  std::vector<tuning::TunedShape> shapes;
  for (const std::string& name : names)
    if (tuning::TunedShape shape = tuning::retell(log, plan.family, name, plan.race); shape.done)
      shapes.push_back(std::move(shape));
  return shapes;
}

Report read_run(const RunFolder& folder) {
  const std::string source = folder.metadata().string();
  const nlohmann::json json = parse_object(read_file(folder.metadata()), source);
  const JsonFields fields(json, source);
  const RunPlan plan = parse_plan(fields.object("plan").json(), source);
  Report report{.title = fmt::format("{} on {}", plan.family, plan.device)};
  report.shapes = retell(folder, plan);
  if (report.shapes.empty())
    throw Error(ErrorCode::not_found, "has no finished shapes", folder.path().string(),
                "continue the run with `adaptive tune --run-name NAME`");
  std::string command;
  for (const nlohmann::json& word : fields.list("command"))
    command += (command.empty() ? "" : " ") + (word.is_string() ? word.get<std::string>() : word.dump());
  double kernel_us = 0.0;
  std::size_t trials = 0;
  for (const tuning::TunedShape& shape : report.shapes) {
    kernel_us += shape.race.kernel_us;
    trials += shape.race.trials;
  }
  report.facts = {{"run", fields.text("name")},
                  {"state", fields.text("state")},
                  {"command", command},
                  {"begin", fields.text("begin")},
                  {"end", fields.text("end")},
                  {"tool", fields.text("tool")},
                  {"shapes", fmt::format("{} of {}", report.shapes.size(), fields.list("shapes").size())},
                  {"trials", fmt::format("{}, {:.2f} s of kernel time", trials, kernel_us / 1e6)}};
  const JsonFields fingerprint = fields.object("fingerprint");
  for (const char* name : {"driver", "toolkit"})
    if (!fingerprint.text(name).empty()) report.facts.emplace_back(name, fingerprint.text(name));
  return report;
}

bool is_run(const fs::path& path) {
  std::error_code error;
  return fs::exists(RunFolder(path).metadata(), error);
}

Exit report_run(const ReportArguments& arguments, const Streams& streams) {
  const RunFolder folder(arguments.paths.front());
  const Report report = read_run(folder);
  const fs::path output = arguments.output.empty() ? folder.path() / "report.html" : arguments.output;
  table::write_atomically(output, report_page(report));
  if (arguments.json) {
    nlohmann::ordered_json shapes = nlohmann::ordered_json::array();
    for (const tuning::TunedShape& shape : report.shapes) shapes.push_back(tuned_shape_json(shape));
    print_json({{"report", output.string()}, {"shapes", shapes}}, streams.out);
  } else {
    streams.out << output.string() << "\n";
  }
  return exit_ok;
}

Json gain_share_json(const std::optional<Gain>& gain) {
  return gain ? Json(100.0 * gain->share) : Json();
}

Json serving_json(const ServingReport& report) {
  Json json = {{"keys", Json::array()}, {"changes", Json::array()}};
  for (const ServedKey& key : report.keys)
    json["keys"].push_back({{"operation", key.operation},
                            {"key", key.key},
                            {"before", key.before},
                            {"after", key.after},
                            {"before_ns", key.before_ns},
                            {"after_ns", key.after_ns},
                            {"gain_over_before_percent", gain_share_json(key.over_before)},
                            {"gain_over_default_percent", gain_share_json(key.over_default)},
                            {"results", key.results},
                            {"changes", key.changes},
                            {"open", key.open}});
  for (const ServedChange& change : report.changes)
    json["changes"].push_back({{"time", table::time_text(change.time)},
                               {"event", change.event},
                               {"operation", change.operation},
                               {"key", change.key},
                               {"from", change.from},
                               {"to", change.to},
                               {"gain_after_percent", 100.0 * change.gain_after}});
  return json;
}

Exit report_serving(const ReportArguments& arguments, const Streams& streams) {
  const ServingReport report = read_serving(
      {.paths = arguments.paths, .before = arguments.before, .default_variant = arguments.default_variant});
  fs::path output = arguments.output;
  if (output.empty()) output = fs::path(arguments.paths.front()).replace_extension(".report.html");
  table::write_atomically(output, serving_page(report));
  if (arguments.json) {
    Json json = {{"report", output.string()}};
    json.update(serving_json(report));
    print_json(json, streams.out);
  } else {
    streams.out << output.string() << "\n";
  }
  return exit_ok;
}

Exit make_report(const ReportArguments& arguments, const Streams& streams) {
  std::error_code error;
  for (const fs::path& path : arguments.paths) {
    const bool is_folder = fs::is_directory(path, error);
    if (!is_folder && fs::exists(path, error)) continue;
    if (arguments.paths.size() == 1) return report_run(arguments, streams);
    if (is_folder && is_run(path)) throw UsageError("report: a tuning run has a page of its own");
  }
  return report_serving(arguments, streams);
}

}  // namespace

Command add_report(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("report",
                                               "Makes an HTML page about a tuning run, or about what "
                                               "programs have learned: of a table, audit files, or both.");
  const auto a = std::make_shared<ReportArguments>();
  command
      ->add_option("path", a->paths,
                   "The folder of a tuning run, or a table, or audit files, or a table and audit files")
      ->required()
      ->type_name("RUN|TABLE|AUDIT");
  command
      ->add_option("--before", a->before,
                   "The table from which the programs started, to show the gain over it")
      ->type_name("TABLE");
  command->add_option(
      "--default", a->default_variant,
      "The program's default variant, to show the gain over it; known for the library's families");
  command
      ->add_option("-o,--output", a->output,
                   "Default: report.html in the run's folder, or FILE.report.html beside the first file")
      ->type_name("FILE.html");
  command->add_flag("--json", a->json, "Print the content of the page as JSON");
  return {command, [a](const Streams& streams) { return make_report(*a, streams); }};
}

}  // namespace adaptive::cli
