// adaptive replay (--trace FILE | --scenario NAME) [options]
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/latency.hpp>
#include "base/statistics/quantiles.hpp"
#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "files/atomic_file.hpp"
#include "replay/curve.hpp"
#include "replay/policies.hpp"
#include "replay/replay.hpp"
#include "table/trace.hpp"

namespace adaptive::inline v1::cli {
namespace {

using replay::Recorded;
using replay::ReplayOptions;
using replay::ReplayResult;
using replay::Summary;

struct ReplayArguments {
  std::filesystem::path trace;
  std::string scenario;
  std::vector<std::string> policies = {"default"};
  std::size_t calls = 10'000;
  std::size_t runs = 20;
  std::uint64_t seed = 1;
  std::string order = "random";
  std::string truth = "mean";
  bool alone = false;
  std::string objective = "automatic";
  std::string seeds = "none";
  double seed_error = 0.02;
  std::size_t seed_calls = 0;  // 0: not given
  double timing_cost_us = 0.0;
  std::vector<std::uint32_t> delay = {0, 0};
  double lost = 0.0;
  double budget = 1.0;
  double revalidation = 0.0;
  bool no_parameters = false;
  bool predict = false;
  std::vector<std::string> leave_out;
  double prediction_error = 0.0;
  bool per_key = false;
  bool json = false;
  std::filesystem::path csv;
  std::filesystem::path svg;
};

// Factor between the latencies of another device and this one, as its clock differs.
constexpr double foreign_factor = 1.6;
constexpr std::size_t seed_calls_default = 10'000;
constexpr std::uint32_t delay_max = 1'000'000;  // bounds the memory of outstanding results

Objective objective_of(const std::string& name) {
  if (name == "mean") return Objective::mean;
  return name == "robust" ? Objective::robust : Objective::automatic;
}

std::optional<replay::SeedTable> seeds_of(const ReplayArguments& arguments) {
  if (arguments.seeds == "none" || arguments.seeds == "own") return std::nullopt;
  if (arguments.seeds == "table") return replay::SeedTable{arguments.seed_error, 1.0, true};
  return replay::SeedTable{arguments.seed_error, foreign_factor, false};
}

ReplayOptions options_of(const ReplayArguments& arguments, const std::string& policy) {
  ReplayOptions options;
  options.run.policy = replay::make_policy(policy);
  options.run.calls = arguments.calls;
  options.run.checkpoints = arguments.csv.empty() && arguments.svg.empty()
                                ? replay::checkpoints(arguments.calls)
                                : replay::dense_checkpoints(arguments.calls);
  options.run.learning.objective = objective_of(arguments.objective);
  options.run.learning.timing_cost = Latency(arguments.timing_cost_us * 1000.0);
  options.run.delivery.delay_min = arguments.delay[0];
  options.run.delivery.delay_max = arguments.delay[1];
  options.run.delivery.lost = arguments.lost;
  options.run.learning.exploration_budget = arguments.budget;
  options.run.learning.revalidation_budget = arguments.revalidation;
  options.run.learning.parameter_model = !arguments.no_parameters;
  options.run.seeds = seeds_of(arguments);
  if (arguments.seeds == "own")
    options.run.own_table_calls = arguments.seed_calls > 0 ? arguments.seed_calls : seed_calls_default;
  options.run.judge_table = true;
  options.alone = arguments.alone;
  options.predict = arguments.predict;
  options.leave_out = arguments.leave_out;
  options.prediction_error = arguments.prediction_error;
  options.runs = arguments.runs;
  options.seed = arguments.seed;
  options.order = arguments.order == "recorded" ? Recorded::Order::recorded : Recorded::Order::random;
  options.truth = arguments.truth == "trimmed" ? Recorded::Truth::trimmed : Recorded::Truth::mean;
  return options;
}

const replay::Scenario& find_scenario(const std::string& name) {
  std::string known;
  for (const replay::Scenario& scenario : replay::scenarios()) {
    if (scenario.name == name) return scenario;
    known += "\n  " + scenario.name + ": " + scenario.description;
  }
  throw UsageError("--scenario: there is no \"" + name + "\"; known:" + known);
}

// Of each variant of a recorded key, in the order of the trace.
struct RecordedLatencies {
  std::string variant;
  RecentLatencies latencies;
};
using LatenciesByKey = std::map<std::string, std::vector<RecordedLatencies>>;

struct Replayed {
  std::string policy;
  ReplayOptions options;
  ReplayResult result;
  LatenciesByKey latencies = {};  ///< empty unless the figures of every key are wanted
};

LatenciesByKey latencies_of(const table::Trace& trace) {
  LatenciesByKey by_key;
  for (const table::TraceKey& key : trace.keys)
    for (std::size_t v = 0; v < key.variants.size(); ++v)
      by_key[key.name()].push_back({key.variants[v], core::quantiles(key.latency_ns[v])});
  return by_key;
}

const std::vector<RecordedLatencies>& latencies_of(const LatenciesByKey& by_key, const std::string& key) {
  static const std::vector<RecordedLatencies> none;
  const auto at = by_key.find(key);
  return at == by_key.end() ? none : at->second;
}

void check_usage(const ReplayArguments& arguments) {
  if (arguments.trace.empty() == arguments.scenario.empty())
    throw UsageError("replay: give either --trace or --scenario");
  if (arguments.predict && (arguments.trace.empty() || arguments.seeds != "none"))
    throw UsageError("--predict needs --trace and excludes --seeds");
  if (!arguments.leave_out.empty() && !arguments.predict) throw UsageError("--leave-out needs --predict");
  if (arguments.prediction_error > 0.0 && !arguments.predict)
    throw UsageError("--prediction-error needs --predict");
  if (arguments.delay[1] < arguments.delay[0])
    throw UsageError("--delay: the second number is smaller than the first");
  if (arguments.seed_calls > 0 && arguments.seeds != "own")
    throw UsageError("--seed-calls needs --seeds own");
  if (arguments.scenario.empty()) return;
  if (arguments.alone || arguments.truth != "mean" || arguments.order != "random")
    throw UsageError("--alone, --truth and --order need --trace");
  if (arguments.seeds == "table" || arguments.seeds == "device")
    throw UsageError("--seeds " + arguments.seeds + " needs --trace; some scenarios have such a table");
  if (arguments.delay[1] > 0 || arguments.lost > 0.0)
    throw UsageError(
        "--delay and --lost need --trace; the scenarios delayed and lossy have their own values");
}

std::vector<Replayed> replay_all(const ReplayArguments& arguments, const Streams& streams) {
  check_usage(arguments);
  std::vector<Replayed> all;
  if (!arguments.scenario.empty()) {
    const replay::Scenario& scenario = find_scenario(arguments.scenario);
    for (const std::string& policy : arguments.policies) {
      ReplayOptions options = options_of(arguments, policy);
      all.push_back({policy, options, replay::replay(scenario, options)});
    }
    return all;
  }
  const table::Trace trace = table::read_trace(arguments.trace);
  print_notices(trace.notices, streams.err);
  for (const std::string& policy : arguments.policies) {
    ReplayOptions options = options_of(arguments, policy);
    all.push_back({policy, options, replay::replay(trace.keys, options)});
    if (arguments.per_key) all.back().latencies = latencies_of(trace);
  }
  return all;
}

double percent(double share) {
  return 100.0 * share;
}

// The sum over all runs.
std::uint64_t promotions_of(const Summary& summary) {
  return static_cast<std::uint64_t>(
      std::llround(summary.promotions.mean() * static_cast<double>(summary.promotions.count())));
}

void add_reaction(Json& json, const Summary& summary) {
  if (summary.reaction.count() == 0 && summary.unreacted == 0) return;
  json["reaction_calls"] = summary.reaction.count() > 0 ? Json(summary.reaction.mean()) : Json();
  if (summary.reaction.count() > 0) {
    json["reaction_calls_95"] = summary.reaction_calls.quantile(0.95);
    json["reaction_timed_median"] = summary.reaction_timed.quantile(0.5);
    json["reaction_timed_95"] = summary.reaction_timed.quantile(0.95);
  }
  json["unreacted_runs"] = summary.unreacted;
}

// Null if the key had none of the calls.
Json mean_of(const replay::Mean& mean, double factor) {
  return mean.count() > 0 ? Json(factor * mean.mean()) : Json();
}

Json figures(const Summary& summary, double first_look, std::size_t calls) {
  Json json;
  json["overhead_percent"] = percent(summary.overhead.back().mean());
  json["overhead_percent_confidence"] = percent(summary.overhead.back().confidence());
  json["overhead_realized_percent"] = percent(summary.realized.mean());
  json["last_half_overhead_percent"] = mean_of(summary.last_half, 100.0);
  json["last_quarter_overhead_percent"] = mean_of(summary.last_quarter, 100.0);
  json["first_look_floor_percent"] = percent(first_look / static_cast<double>(calls));
  json["promotions"] = promotions_of(summary);
  json["wrong_promotions"] = summary.wrong;
  json["timed_fraction"] = summary.timed.mean();
  json["late_timed_fraction"] = mean_of(summary.late_timed, 1.0);
  json["kept_overhead_percent"] = percent(summary.kept_gap.mean());
  json["promoted_keys"] = summary.promoted.mean();
  json["confirmed_keys"] = summary.confirmed.mean();
  add_reaction(json, summary);
  return json;
}

// The figures that only scenarios have.
Json scenario_figures(const Summary& summary) {
  Json json;
  if (summary.fixed_default.count() == 0) {
    json["runs_ended_slow"] = summary.ended_slow;
    return json;
  }
  json["default_overhead_percent"] = percent(summary.fixed_default.mean());
  json["best_fixed_overhead_percent"] = percent(summary.fixed_best.mean());
  json["windows"] = summary.windows;
  json["windows_behind_default"] = summary.windows_behind_default;
  return json;
}

Json replay_json(const replay::PredictionQuality& quality) {
  const double variants = static_cast<double>(quality.variants);
  Json json = {{"keys", quality.keys}, {"keys_predicted", quality.predicted}};
  if (quality.predicted == 0) return json;
  json["coverage_90_percent"] = percent(static_cast<double>(quality.covered) / variants);
  json["error_percent"] = percent(std::sqrt(quality.squares / variants));
  json["error_expected_percent"] = percent(quality.deviation / variants);
  json["start_gap_percent"] = percent(quality.start_gap / static_cast<double>(quality.predicted));
  return json;
}

Json replay_json(const Replayed& replayed, const ReplayArguments& arguments) {
  const auto& [policy, options, result, latencies] = replayed;
  Json json;
  json["policy"] = policy;
  json["calls"] = arguments.calls;
  json["runs"] = arguments.runs;
  json["seed"] = arguments.seed;
  json["keys"] = result.keys.size();
  if (arguments.scenario.empty()) {
    json["truth"] = arguments.truth;
    json["order"] = arguments.order;
    json["alone"] = arguments.alone || arguments.predict;
  }
  json["seeds"] = arguments.seeds;
  if (options.run.own_table_calls > 0) json["seed_calls"] = options.run.own_table_calls;
  json.update(figures(result.total, result.first_look, arguments.calls));
  // In this scenario the sizes differ from run to run, so that no key has a mean over the runs.
  if (result.total.fixed_default.count() == 0) json["kept_worst_percent"] = percent(result.kept_worst);
  if (!arguments.scenario.empty()) json.update(scenario_figures(result.total));
  if (result.prediction) json["prediction"] = replay_json(*result.prediction);
  Json course = Json::array();
  for (std::size_t i = 0; i < options.run.checkpoints.size(); ++i)
    course.push_back({{"calls", options.run.checkpoints[i]},
                      {"overhead_percent", percent(result.total.overhead[i].mean())},
                      {"confidence_percent", percent(result.total.overhead[i].confidence())}});
  json["course"] = course;
  if (arguments.per_key) {
    Json by_key = Json::array();
    for (const replay::KeyResult& key : result.keys) {
      Json one = {{"key", key.name}, {"variants", key.variants}};
      one.update(figures(key.summary, key.first_look, arguments.calls));
      for (const auto& [variant, of] : latencies_of(latencies, key.name))
        one["latencies"][variant] = {{"count", of.count},
                                     {"median_us", of.median_ns / 1e3},
                                     {"p95_us", of.p95_ns / 1e3},
                                     {"p99_us", of.p99_ns / 1e3}};
      by_key.push_back(one);
    }
    json["by_key"] = by_key;
  }
  return json;
}

void print_line(const std::string& name, const Summary& summary, double first_look, double kept_worst,
                std::size_t calls, std::ostream& out) {
  out << fmt::format(
      "{:<24} {:>9.3f} ± {:<7.3f} {:>9.3f} {:>10} {:>6} {:>7.2f} {:>7.2f} {:>7.3f} {:>7.3f} "
      "{:>9.3f} {:>10.3f}\n",
      name, percent(summary.overhead.back().mean()), percent(summary.overhead.back().confidence()),
      percent(first_look / static_cast<double>(calls)), promotions_of(summary), summary.wrong,
      percent(summary.timed.mean()), percent(summary.late_timed.mean()), percent(summary.kept_gap.mean()),
      percent(kept_worst), summary.promoted.mean(), summary.confirmed.mean());
}

// Describes what the figures refer to: keys, calls and truth.
std::string description(const std::vector<Replayed>& all, const ReplayArguments& arguments) {
  std::string text =
      fmt::format("{}: {} keys, {} runs of each, {} calls, seed {}",
                  arguments.trace.empty() ? arguments.scenario : arguments.trace.filename().string(),
                  all.front().result.keys.size(), arguments.runs, arguments.calls, arguments.seed);
  if (!arguments.trace.empty())
    text += fmt::format("; {}; judged by {} means",
                        arguments.alone || arguments.predict ? "each key alone" : "keys together",
                        arguments.truth == "trimmed" ? "trimmed" : "plain");
  if (all.front().options.run.own_table_calls > 0)
    text += fmt::format("; each run starts from the table of a run of {} calls",
                        all.front().options.run.own_table_calls);
  return text + "\n";
}

void print_scenario(const std::string& policy, const Summary& summary, std::ostream& out) {
  if (summary.fixed_default.count() == 0) {
    out << fmt::format("{}: {} of {} runs end on a slower variant\n", policy, summary.ended_slow,
                       summary.runs);
    return;
  }
  out << fmt::format(
      "{}: last half {:.3f} %; the default {:.3f} %, the best fixed variant {:.3f} %; slower than the "
      "default in {} of {} windows of 1,000 calls after the first\n",
      policy, percent(summary.last_half.mean()), percent(summary.fixed_default.mean()),
      percent(summary.fixed_best.mean()), summary.windows_behind_default, summary.windows);
}

void print_replayed(const std::vector<Replayed>& all, const ReplayArguments& arguments, std::ostream& out) {
  out << description(all, arguments);
  out << fmt::format("{:<24} {:>9}   {:<7} {:>9} {:>10} {:>6} {:>7} {:>7} {:>7} {:>7} {:>9} {:>10}\n",
                     "policy", "overhead%", "95%", "one look%", "promotions", "wrong", "timed%", "late%",
                     "kept%", "worst%", "promoted", "confirmed");
  for (const Replayed& replayed : all) {
    print_line(replayed.policy, replayed.result.total, replayed.result.first_look, replayed.result.kept_worst,
               arguments.calls, out);
    if (!arguments.per_key) continue;
    for (const replay::KeyResult& key : replayed.result.keys) {
      print_line("  " + key.name, key.summary, key.first_look, key.summary.kept_gap.mean(), arguments.calls,
                 out);
      if (&replayed != &all.front()) continue;  // the trace is the same for every policy
      for (const auto& [variant, of] : latencies_of(replayed.latencies, key.name))
        out << fmt::format("    {}: median {:.3f}, 95 % {:.3f}, 99 % {:.3f} us of {} recorded latencies\n",
                           variant, of.median_ns / 1e3, of.p95_ns / 1e3, of.p99_ns / 1e3, of.count);
    }
  }
  if (arguments.scenario.empty()) return;
  for (const Replayed& replayed : all) print_scenario(replayed.policy, replayed.result.total, out);
}

void write_curves(const std::vector<Replayed>& all, const ReplayArguments& arguments) {
  std::vector<replay::Curve> curves;
  for (const Replayed& replayed : all) {
    replay::Curve curve{replayed.policy, {}};
    for (std::size_t i = 0; i < replayed.options.run.checkpoints.size(); ++i)
      curve.points.push_back({replayed.options.run.checkpoints[i], replayed.result.total.overhead[i].mean(),
                              replayed.result.total.overhead[i].confidence()});
    curves.push_back(std::move(curve));
  }
  if (!arguments.csv.empty()) table::write_atomically(arguments.csv, replay::to_csv(curves));
  if (!arguments.svg.empty())
    table::write_atomically(
        arguments.svg,
        replay::to_svg(curves, arguments.seeds == "none" ? all.front().result.first_look : 0.0,
                       arguments.trace.empty() ? arguments.scenario : arguments.trace.filename().string()));
}

Exit replay_command(const ReplayArguments& arguments, const Streams& streams) {
  const std::vector<Replayed> all = replay_all(arguments, streams);
  write_curves(all, arguments);
  if (!arguments.json) {
    print_replayed(all, arguments, streams.out);
  } else if (all.size() == 1) {
    print_json(replay_json(all.front(), arguments), streams.out);
  } else {
    Json list = Json::array();
    for (const Replayed& replayed : all) list.push_back(replay_json(replayed, arguments));
    print_json(list, streams.out);
  }
  return exit_ok;
}

}  // namespace

Command add_replay(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "replay",
      "Runs a policy on recorded or simulated latencies and prints its overhead over the best variant.");
  const auto a = std::make_shared<ReplayArguments>();
  std::vector<std::string> names;
  for (const std::string_view name : replay::policy_names()) names.emplace_back(name);
  command->add_option("--trace", a->trace, "Recorded latencies, one JSON object per line")
      ->type_name("FILE.jsonl");
  command->add_option("--scenario", a->scenario, "A scenario of the simulator; an unknown name lists them");
  command->add_option("--policy", a->policies, "A policy; may be given several times")
      ->check(CLI::IsMember(names))
      ->capture_default_str();
  command->add_option("--calls", a->calls, "Number of calls of every key")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}))
      ->capture_default_str();
  command->add_option("--runs", a->runs, "Number of runs of every key")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str();
  command->add_option("--seed", a->seed, "Seed of all random numbers")->capture_default_str();
  command
      ->add_option("--order", a->order,
                   "Order of the recorded rounds: at random, or as recorded, which keeps bursts")
      ->check(CLI::IsMember({"random", "recorded"}))
      ->capture_default_str();
  command
      ->add_option("--truth", a->truth,
                   "Judge variants by the mean of their samples, or without the slowest tenth (trimmed)")
      ->check(CLI::IsMember({"mean", "trimmed"}))
      ->capture_default_str();
  command->add_flag(
      "--alone", a->alone,
      "Give each key a selector of its own; otherwise all keys of an operation share one and take "
      "turns in random order");
  command
      ->add_option("--objective", a->objective,
                   "Whether outliers count against a variant: if it has more than others, always, never")
      ->check(CLI::IsMember({"automatic", "mean", "robust"}))
      ->capture_default_str();
  command
      ->add_option(
          "--seeds", a->seeds,
          "The table before the first call: none, one of this device, one of a slower device, or one "
          "from an earlier run")
      ->check(CLI::IsMember({"none", "table", "device", "own"}))
      ->capture_default_str();
  command
      ->add_option("--seed-calls", a->seed_calls,
                   "With --seeds own: calls of every key in the earlier run; default 10000")
      ->check(CLI::Range(std::size_t{1}, std::size_t{100'000'000}));
  command
      ->add_option("--seed-error", a->seed_error,
                   "Standard deviation of the error of the table's log latencies")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  command->add_flag("--no-parameters", a->no_parameters,
                    "Do not use the numbers in the names of variants as parameters");
  command->add_flag("--predict", a->predict,
                    "Start each key from a prediction fitted to the other keys; implies --alone");
  command
      ->add_option("--leave-out", a->leave_out,
                   "With --predict: leave out keys with the same values in all these dimensions")
      ->delimiter(',');
  command
      ->add_option(
          "--prediction-error", a->prediction_error,
          "With --predict: standard deviation of the error of the other keys' log latencies, one error for "
          "each variant")
      ->check(CLI::Range(0.0, 10.0));
  command
      ->add_option("--timing-cost-us", a->timing_cost_us,
                   "Cost of every timed call in µs; the selector knows it")
      ->check(CLI::Range(0.0, 1e9))
      ->capture_default_str();
  command->add_option("--delay", a->delay, "Minimum and maximum number of calls by which results are late")
      ->expected(2)
      ->check(CLI::Range(std::uint32_t{0}, delay_max))
      ->capture_default_str();
  command->add_option("--lost", a->lost, "Share of the results that never arrive")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--budget", a->budget, "Maximum share of time lost by exploring; 1: no limit")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--revalidation", a->revalidation, "Share of time for measuring idle candidates again")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_flag("--per-key", a->per_key,
                    "Print the figures of every key as well, and its recorded latencies");
  command->add_flag("--json", a->json, "Print the result as JSON: an object, or a list for several policies");
  command->add_option("--csv", a->csv, "File for the overhead by number of calls, as CSV");
  command->add_option("--svg", a->svg, "File for the overhead by number of calls, as a picture");
  return {command, [a](const Streams& streams) { return replay_command(*a, streams); }};
}

}  // namespace adaptive::cli
