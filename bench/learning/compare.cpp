// Compares how well policies learn, on simulated and on recorded latencies: see `compare --help`.
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <adaptive/policy.hpp>
#include "bounds.hpp"
#include "informed.hpp"
#include "options.hpp"
#include "peers.hpp"
#include "replay/replay.hpp"
#include "report.hpp"
#include "table/trace.hpp"

namespace adaptive::learning_bench {
namespace {

using replay::ReplayOptions;
using replay::ReplayResult;
using replay::Scenario;

ReplayOptions replay_options(const Options& options, const std::string& policy, std::size_t runs) {
  ReplayOptions result;
  result.run.policy = policy_of_name(policy);
  result.run.learning.exploration_budget = options.budget;
  result.run.learning.parameter_model = options.parameters;
  result.run.learning.timing_cost = Latency(options.timing_cost_us * 1000.0);
  result.run.calls = options.calls;
  result.run.checkpoints = replay::checkpoints(options.calls);
  result.runs = options.runs == 0 ? runs : options.runs;
  result.seed = options.seed;
  result.order = options.order;
  result.truth = options.truth;
  result.alone = true;  // the models of other systems do not learn from other keys
  return result;
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void compare_on(const Scenario& scenario, const Options& options) {
  const std::size_t runs = replay_options(options, "default", 200).runs;
  print("\n### " + scenario.name + "\n" + scenario.description + "; " + std::to_string(runs) +
        " runs, seed " + std::to_string(options.seed) + ".\n\n");
  const bool reaction = scenario.change_call && *scenario.change_call < options.calls;
  print(head(replay::checkpoints(options.calls), reaction));
  for (const std::string& policy : options.policies)
    print(line(policy, replay::replay(scenario, replay_options(options, policy, runs)).total, reaction));
}

// The cost of one launch of every variant of a key, divided by the number of calls. Without seeds, no policy
// that tries every variant does better.
std::string floor_line(const std::vector<std::size_t>& checkpoints, double first_look) {
  std::string text = "| *trying every variant once* |";
  for (const std::size_t calls : checkpoints) {
    char cell[32];
    std::snprintf(cell, sizeof cell, " %.3f |", 100.0 * first_look / static_cast<double>(calls));
    text += cell;
  }
  return text + " | | | |\n";
}

std::string bound_line(const std::string& name, const std::vector<replay::Mean>& overhead) {
  if (overhead.empty()) return "";
  std::string text = "| *" + name + "* |";
  for (const replay::Mean& at : overhead) text += " " + percent(at) + " |";
  return text + " | | | |\n";
}

std::string bound_lines(const table::Trace& trace, const std::vector<std::size_t>& checkpoints,
                        const Options& options, std::size_t runs) {
  const BoundOptions informed{checkpoints, options.order, options.truth, runs, options.seed};
  return bound_line("then all latencies visible", free_sight(trace.keys, informed)) +
         bound_line("then latencies known, not which variant has which",
                    told_latencies(trace.keys, informed)) +
         bound_line("then noise and number of calls known", told_noise(trace.keys, informed));
}

std::string truth_text(replay::Recorded::Truth truth) {
  return truth == replay::Recorded::Truth::trimmed
             ? "Truth: trimmed, each variant's mean without the slowest tenth of its samples."
             : "Truth: each variant's mean.";
}

void compare_on(const table::Trace& trace, const Options& options) {
  const std::vector<std::size_t> at = replay::checkpoints(options.calls);
  const std::size_t runs = replay_options(options, "default", 20).runs;
  print("\n### " + options.trace.filename().string() + "\n" + std::to_string(trace.keys.size()) + " keys, " +
        std::to_string(runs) + " runs of each, seed " + std::to_string(options.seed) +
        "; wrong promotions and promotions are summed over all keys. " + truth_text(options.truth) + "\n\n");
  print(head(at, false));
  std::string details;
  for (const std::string& policy : options.policies) {
    const ReplayResult result = replay::replay(trace.keys, replay_options(options, policy, runs));
    if (&policy == &options.policies.front()) {
      print(floor_line(at, result.first_look));
      if (options.bound) print(bound_lines(trace, at, options, runs));
    }
    print(line(policy, result.total, false));
    for (const replay::KeyResult& key : result.keys)
      details += line(policy + ", " + key.name, key.summary, false);
  }
  if (options.per_key) print("\n" + head(at, false) + details);
}

void compare(Options options) {
  if (options.policies.empty()) {
    for (const std::string_view name : policy_names()) options.policies.emplace_back(name);
    for (const Peer& peer : peers()) options.policies.emplace_back(peer.name);
  }
  for (const std::string& policy : options.policies) policy_of_name(policy);  // throws for an unknown one

  if (!options.trace.empty()) {
    const table::Trace trace = table::read_trace(options.trace);
    for (const table::Notice& notice : trace.notices)
      std::fprintf(stderr, "compare: %s: %s\n", notice.where.c_str(), notice.what.c_str());
    return compare_on(trace, options);
  }
  bool found = false;
  for (const Scenario& scenario : replay::scenarios()) {
    if (!options.scenario.empty() && scenario.name != options.scenario) continue;
    // Scenarios with changing sizes run only if they are named, because the models of other systems learn
    // each key separately.
    if (options.scenario.empty() && scenario.changing_sizes) continue;
    found = true;
    compare_on(scenario, options);
  }
  if (found) return;
  std::string names;
  for (const Scenario& scenario : replay::scenarios())
    names += "\n  " + scenario.name + ": " + scenario.description;
  throw UsageError("there is no scenario \"" + options.scenario + "\"; known:" + names);
}

}  // namespace
}  // namespace adaptive::learning_bench

int main(int argc, char** argv) {
  using namespace adaptive::learning_bench;
  try {
    const Options options = parse({argv + 1, argv + argc});
    if (options.help)
      std::fputs(usage().c_str(), stdout);
    else
      compare(options);
    return 0;
  } catch (const UsageError& e) {
    std::fprintf(stderr, "compare: %s\n\n%s", e.what(), usage().c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "compare: %s\n", e.what());
  }
  return 2;
}
