// How well policies learn, on simulated and on recorded latencies: `compare --help`.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <adaptive/error.hpp>
#include <adaptive/policy.hpp>
#include "options.hpp"
#include "report.hpp"
#include "scenarios.hpp"
#include "tests/policies/support/environment.hpp"
#include "tests/policies/support/runner.hpp"
#include "tests/policies/support/trace.hpp"

namespace adaptive::learning_bench {
namespace {

using simulation::Outcome;
using simulation::RunOptions;

std::vector<std::size_t> checkpoints(std::size_t calls) {
  std::vector<std::size_t> result;
  for (const std::size_t at : {std::size_t{100}, std::size_t{1'000}, std::size_t{10'000}})
    if (at < calls) result.push_back(at);
  result.push_back(calls);
  return result;
}

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t run) {
  Random random(seed ^ Random(stream * 0x10000'0001U + run)());
  return random();
}

RunOptions run_options(const Options& options, const std::string& policy) {
  RunOptions result;
  result.policy = make_policy(policy);
  result.learning.exploration_budget = options.budget;
  result.calls = options.calls;
  result.checkpoints = checkpoints(options.calls);
  return result;
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void compare_on(const Scenario& scenario, const Options& options) {
  const std::size_t runs = options.runs == 0 ? 200 : options.runs;
  print("\n### " + scenario.name + "\n" + scenario.description + "; " + std::to_string(runs) +
        " runs, seed " + std::to_string(options.seed) + ".\n\n");
  const bool reaction = scenario.change_call && *scenario.change_call < options.calls;
  print(head(checkpoints(options.calls), reaction));
  for (const std::string& policy : options.policies) {
    RunOptions how = run_options(options, policy);
    how.delivery = scenario.delivery;
    how.change_call = scenario.change_call;
    how.seeds = scenario.seeds;
    Summary summary(how.checkpoints.size());
    simulation::Synthetic environment(scenario.environment);
    for (std::size_t run = 0; run < runs; ++run)
      summary.add(simulation::run(environment, how, seed_of(options.seed, 0, run)));
    print(line(policy, summary, reaction));
  }
}

// What one launch of every variant of a key costs, spread over the calls: without seeds nothing that looks at
// all of them does better.
double first_look(const simulation::Environment& environment, std::size_t calls) {
  double gaps = 0.0;
  for (std::uint32_t i = 0; i < environment.size(); ++i) gaps += environment.gap(i);
  return gaps / static_cast<double>(calls);
}

// Per run the outcomes of all keys are averaged with equal weights, so that the confidence is that of the
// average.
Outcome average(const std::vector<Outcome>& keys) {
  Outcome mean = keys.front();
  const double share = 1.0 / static_cast<double>(keys.size());
  for (double& x : mean.overhead) x = 0.0;
  mean.overhead_realized = mean.timed_share = 0.0;
  mean.promotions = mean.wrong_promotions = 0;
  for (const Outcome& key : keys) {
    for (std::size_t i = 0; i < mean.overhead.size(); ++i) mean.overhead[i] += share * key.overhead[i];
    mean.overhead_realized += share * key.overhead_realized;
    mean.timed_share += share * key.timed_share;
    mean.promotions += key.promotions;
    mean.wrong_promotions += key.wrong_promotions;
  }
  return mean;
}

void compare_on(const std::vector<simulation::RecordedKey>& keys, const Options& options) {
  const std::size_t runs = options.runs == 0 ? 20 : options.runs;
  const std::vector<std::size_t> at = checkpoints(options.calls);
  std::vector<simulation::Recorded> environments;
  for (const simulation::RecordedKey& key : keys) environments.emplace_back(key, options.order);

  print("\n### " + options.trace.filename().string() + "\n" + std::to_string(keys.size()) + " keys, " +
        std::to_string(runs) + " runs of each, seed " + std::to_string(options.seed) +
        "; wrong, promotions: of all keys together.\n\n");
  print(head(at, false));
  std::string floor = "| *one look at each* |";
  for (const std::size_t calls : at) {
    Mean mean;
    for (const simulation::Recorded& environment : environments) mean.add(first_look(environment, calls));
    char text[32];
    std::snprintf(text, sizeof text, " %.3f |", 100.0 * mean.mean());
    floor += text;
  }
  print(floor + " | | | |\n");

  std::string details;
  for (const std::string& policy : options.policies) {
    const RunOptions how = run_options(options, policy);
    Summary summary(how.checkpoints.size());
    std::vector<Summary> by_key(keys.size(), Summary(how.checkpoints.size()));
    for (std::size_t run = 0; run < runs; ++run) {
      std::vector<Outcome> outcomes;
      for (std::size_t k = 0; k < keys.size(); ++k) {
        outcomes.push_back(simulation::run(environments[k], how, seed_of(options.seed, k, run)));
        by_key[k].add(outcomes.back());
      }
      summary.add(average(outcomes));
    }
    print(line(policy, summary, false));
    for (std::size_t k = 0; k < keys.size(); ++k)
      details += line(policy + ", " + keys[k].name, by_key[k], false);
  }
  if (options.per_key) print("\n" + head(at, false) + details);
}

void compare(Options options) {
  if (options.policies.empty())
    for (const std::string_view name : policy_names()) options.policies.emplace_back(name);
  for (const std::string& policy : options.policies) make_policy(policy);  // throws for an unknown one

  if (!options.trace.empty()) return compare_on(simulation::read_trace(options.trace), options);
  bool found = false;
  for (const Scenario& scenario : scenarios()) {
    if (!options.scenario.empty() && scenario.name != options.scenario) continue;
    found = true;
    compare_on(scenario, options);
  }
  if (found) return;
  std::string names;
  for (const Scenario& scenario : scenarios()) names += "\n  " + scenario.name + ": " + scenario.description;
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
