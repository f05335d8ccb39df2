// adaptive report RUN
#include <filesystem>
#include <memory>
#include <ostream>
#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "cli/json_fields.hpp"
#include "cli/json_output.hpp"
#include "cli/report/report_page.hpp"
#include "cli/tune/results.hpp"
#include "cli/tune/run_folder.hpp"
#include "files/atomic_file.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  fs::path run;
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

Exit make_report(const ReportArguments& arguments, const Streams& streams) {
  const RunFolder folder(arguments.run);
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

}  // namespace

Command add_report(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("report", "Makes an HTML page about a tuning run.");
  const auto arguments = std::make_shared<ReportArguments>();
  command->add_option("run", arguments->run, "The folder of the run")->required()->type_name("RUN");
  command->add_option("-o,--output", arguments->output, "Default: report.html in the run's folder")
      ->type_name("FILE.html");
  command->add_flag("--json", arguments->json, "Print the content of the page as JSON");
  return {command, [arguments](const Streams& streams) { return make_report(*arguments, streams); }};
}

}  // namespace adaptive::cli
