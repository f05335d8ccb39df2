#include "cli/tune/run_folder.hpp"

#include <system_error>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/version.hpp>

#include "base/time_text.hpp"
#include "cli/json_fields.hpp"
#include "cli/json_output.hpp"
#include "files/atomic_file.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* clock_name(tuning::SampleClock clock) {
  switch (clock) {
    case tuning::SampleClock::events:
      return "events";
    case tuning::SampleClock::cupti:
      return "cupti";
    case tuning::SampleClock::graph:
      return "graph";
  }
  return "events";
}

Json space_json(const tuning::SearchSpace& space) {
  Json parameters = Json::object();
  for (const auto& [parameter, values] : space.parameters)
    for (const Parameter& value : values) parameters[parameter].push_back(parameter_json(value));
  Json json = {
      {"parameters", parameters}, {"variants", space.variants}, {"candidates_max", space.candidates_max}};
  // Where it is the default it is left out, so that runs of earlier versions can be continued.
  if (!space.mix_numeric_classes) json["mix_numeric_classes"] = false;
  if (space.memory_limit != tuning::SearchSpace{}.memory_limit) json["memory_limit"] = space.memory_limit;
  return json;
}

Json race_json(const tuning::RaceOptions& race) {
  Json json = {{"warm_up", race.warm_up},
               {"rounds_min", race.rounds_min},
               {"rounds_max", race.rounds_max},
               {"confirm_rounds", race.confirm_rounds},
               {"error", race.error},
               {"tie", race.tie},
               {"exhaustive", race.exhaustive},
               {"default_only", race.default_only},
               {"seed", race.seed}};
  // As above.
  if (race.objective != tuning::RaceObjective::latency) json["objective"] = to_string(race.objective);
  return json;
}

double number(const JsonFields& fields, const char* member) {
  const auto at = fields.json().find(member);
  if (at == fields.json().end() || !at->is_number())
    throw Error(ErrorCode::corrupt, "is not a number", fields.where(member));
  return at->get<double>();
}

}  // namespace

Json to_json(const Fingerprint& fingerprint) {
  return {{"device", fingerprint.device},
          {"driver", fingerprint.driver},
          {"toolkit", fingerprint.toolkit},
          {"libraries", fingerprint.libraries}};
}

Json to_json(const RunPlan& plan) {
  return {{"family", plan.family},
          {"device", plan.device},
          {"race", race_json(plan.race)},
          {"sampling",
           {{"clock", clock_name(plan.sampling.clock)},
            {"launches", plan.sampling.launches},
            {"cold", plan.sampling.cold},
            {"warm", plan.sampling.warm},
            {"seed", plan.sampling.seed}}},
          {"space", space_json(plan.space)}};
}

RunPlan parse_plan(const nlohmann::json& json, const std::string& source) {
  const JsonFields fields(json, source, "/plan");
  const JsonFields race = fields.object("race");
  RunPlan plan{.family = fields.text("family"), .device = fields.text("device")};
  plan.race.warm_up = static_cast<int>(race.size("warm_up"));
  plan.race.rounds_min = static_cast<int>(race.size("rounds_min"));
  plan.race.rounds_max = static_cast<int>(race.size("rounds_max"));
  plan.race.confirm_rounds = static_cast<int>(race.size("confirm_rounds"));
  plan.race.error = number(race, "error");
  plan.race.tie = number(race, "tie");
  plan.race.exhaustive = race.flag("exhaustive");
  plan.race.default_only = race.flag("default_only");
  const auto seed = race.json().find("seed");
  if (seed == race.json().end() || !seed->is_number_unsigned())
    throw Error(ErrorCode::corrupt, "is not a seed", race.where("seed"));
  plan.race.seed = seed->get<std::uint64_t>();
  if (race.json().contains("objective")) {
    if (race.text("objective") != to_string(tuning::RaceObjective::throughput))
      throw Error(ErrorCode::corrupt, "is not an objective", race.where("objective"));
    plan.race.objective = tuning::RaceObjective::throughput;
  }
  return plan;
}

void RunFolder::begin(const RunMetadata& run, bool anew) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error)
    throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(), path_.string());
  // A process that was killed just now may take a moment to end.
  lock_ = std::make_unique<table::FileLock>(trials(), std::chrono::seconds(5));
  if (anew)
    for (const auto& file : {trials(), results(), metadata()}) std::filesystem::remove(file, error);
  if (std::filesystem::exists(metadata())) {
    const nlohmann::json earlier = parse_object(read_file(metadata()), metadata().string());
    const auto plan = earlier.find("plan");
    if (plan == earlier.end() || *plan != nlohmann::json(to_json(run.plan)))
      throw Error(ErrorCode::mismatch, "belongs to a run with other options or on another device",
                  path_.string(), "use another --run-name, or --force to start again");
  } else if (std::filesystem::exists(trials())) {
    throw Error(ErrorCode::mismatch, "has trials of an unknown run", path_.string(),
                "use another --run-name, or --force to start again");
  }
  write(run);
}

void RunFolder::write(const RunMetadata& run) const {
  Json json = {{"schema", "adaptive-run"},
               {"version", 1},
               {"name", run.name},
               {"state", run.state},
               {"command", run.command},
               {"tool", std::string("adaptive ") + library_version},
               {"compiler", __VERSION__},
               {"fingerprint", to_json(run.fingerprint)},
               {"devices", run.devices},
               {"seed", run.plan.race.seed},
               {"begin", table::time_text(run.begin)}};
  json["end"] = run.end == 0 ? Json() : Json(table::time_text(run.end));
  json["plan"] = to_json(run.plan);
  json["shapes"] = run.shapes;
  table::write_atomically(metadata(), json.dump(2) + "\n");
}

}  // namespace adaptive::cli
