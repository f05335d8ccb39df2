// What holds for every policy that has a name, in one simulator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "replay/environments/environment.hpp"
#include "replay/policies.hpp"
#include "replay/runner.hpp"
#include "tests/policies/effort.hpp"
#include "tests/policies/test_name.hpp"

namespace adaptive {
namespace {

using replay::Environment;
using replay::Outcome;
using replay::RunOptions;
using replay::runs;
using replay::Synthetic;
using replay::SyntheticOptions;

constexpr std::size_t variants = 8;

class EveryPolicy : public ::testing::TestWithParam<std::string_view> {
 protected:
  std::string_view name() const { return GetParam(); }
  bool explores() const { return name() != "fixed"; }

  RunOptions options(std::size_t calls) const {
    RunOptions result;
    result.policy = replay::make_policy(name());
    result.calls = calls;
    return result;
  }

  std::vector<Outcome> outcomes(const SyntheticOptions& world, const RunOptions& how,
                                std::size_t count) const {
    std::vector<Outcome> result;
    Synthetic environment(world);
    for (std::uint64_t seed = 1; seed <= count; ++seed) result.push_back(replay::run(environment, how, seed));
    return result;
  }
};

double mean_overhead(const std::vector<Outcome>& outcomes) {
  double sum = 0.0;
  for (const Outcome& outcome : outcomes) sum += outcome.overhead_end;
  return sum / static_cast<double>(outcomes.size());
}

// Runs at whose end something slower than a tie with the best is in use.
std::size_t astray(const std::vector<Outcome>& outcomes) {
  return static_cast<std::size_t>(std::count_if(outcomes.begin(), outcomes.end(),
                                                [](const Outcome& o) { return o.gap_leader > replay::tie; }));
}

// Mean overhead at 2,000 calls in the steady world that a policy must stay below. One look at every variant
// costs 0.18 %. One in a hundred first looks at the best meets an outlier and the second best, 10 % slower,
// runs for long: 0.1 %, give or take 0.07 % over 200 runs, unless a policy looks more than once soon.
double overhead_max(std::string_view policy) {
  static const std::map<std::string_view, double> known = {
      {"default", 0.0042},         // one look at each
      {"explore-first", 0.0060},   // three
      {"epsilon-greedy", 0.0095},  // one, ln(2,000 / 80) more, and a tenth of the first 80 calls
      {"kl-ucb", 0.0042},          // one
      {"thompson", 0.0060},        // one, and a second of most
  };
  const auto at = known.find(policy);
  return at == known.end() ? 0.01 : at->second;
}

TEST_P(EveryPolicy, EndsOnTheBestAtABoundedCost) {
  if (!explores()) GTEST_SKIP() << "explores nothing by design";
  const std::vector<Outcome> all = outcomes({}, options(2'000), runs(200));
  EXPECT_LE(mean_overhead(all), overhead_max(name()));
  // An outlier in the first look at the best one hides it for a while.
  EXPECT_LE(astray(all), 1 + all.size() / 50);
}

TEST_P(EveryPolicy, SurvivesOutliersOfFiftyTimes) {
  if (!explores()) GTEST_SKIP() << "explores nothing by design";
  SyntheticOptions world;
  world.noise.outlier_min = world.noise.outlier_max = 50.0;
  const std::vector<Outcome> all = outcomes(world, options(5'000), runs(100));
  EXPECT_LE(astray(all), 1 + all.size() / 50);
  for (const Outcome& outcome : all) EXPECT_EQ(outcome.wrong_promotions, 0U);
}

TEST_P(EveryPolicy, WaitsForResultsThatAreHundredsOfCallsLate) {
  RunOptions how = options(5'000);
  how.delivery.delay_min = 100;
  how.delivery.delay_max = 400;
  how.keep_choices = true;
  const std::vector<Outcome> all = outcomes({}, how, runs(50));
  for (const Outcome& outcome : all) {
    // Nothing has come back yet: to look at a variant again and again would be blind.
    std::vector<std::size_t> launched(variants, 0);
    for (std::size_t call = 0; call < 100; ++call) ++launched[outcome.choices[call] / 2];
    EXPECT_GE(*std::max_element(launched.begin(), launched.end()), 70U) << "one variant should run meanwhile";
    EXPECT_EQ(outcome.counters.results_lost, 0U);
  }
  if (explores()) {
    EXPECT_LE(astray(all), 1 + all.size() / 50);
  }
}

TEST_P(EveryPolicy, CopesWithLostAndRepeatedResults) {
  RunOptions how = options(5'000);
  how.delivery.delay_max = 20;
  how.delivery.lost = 0.1;
  how.delivery.duplicated = 0.1;
  const std::vector<Outcome> all = outcomes({}, how, runs(100));
  std::uint64_t duplicates = 0;
  for (const Outcome& outcome : all) {
    duplicates += outcome.counters.results_duplicate + outcome.counters.results_expired;
    EXPECT_LT(outcome.counters.results, outcome.counters.timed);
    EXPECT_EQ(outcome.wrong_promotions, 0U);
  }
  EXPECT_GT(duplicates, 0U);
  if (explores()) {
    EXPECT_LE(astray(all), 1 + all.size() / 25);
  }
}

TEST_P(EveryPolicy, RepeatsItselfGivenTheSeed) {
  RunOptions how = options(3'000);
  how.keep_choices = true;
  how.delivery.delay_max = 50;
  how.delivery.lost = 0.05;
  Synthetic environment({});
  const Outcome first = replay::run(environment, how, 7);
  const Outcome again = replay::run(environment, how, 7);
  const Outcome other = replay::run(environment, how, 8);
  EXPECT_EQ(first.choices, again.choices);
  EXPECT_EQ(first.overhead_realized, again.overhead_realized);
  EXPECT_NE(first.choices, other.choices);
}

TEST_P(EveryPolicy, RunsNothingThatIsSetAsideOrDisabled) {
  Synthetic environment({}, 3);
  SelectorOptions how;
  how.device = {};
  how.policy = replay::make_policy(name());
  how.use_environment = false;
  Selector selector(how);
  OperationSpec spec{.name = "simulated", .dimensions = {{"size"}}};
  for (std::size_t i = 0; i < variants; ++i) spec.variants.push_back({.name = "v" + std::to_string(i)});
  Operation& operation = selector.define(spec);

  std::uint32_t forbidden = variants;
  const auto calls = [&](std::size_t count, bool disabled) {
    for (std::size_t i = 0; i < count; ++i) {
      environment.advance();
      const Decision decision = operation.select({1});
      EXPECT_NE(decision.variant(), forbidden);
      if (disabled) {
        EXPECT_NE(decision.variant(), 1U);
      }
      if (decision.timed()) operation.record(decision, Latency(environment.launch(decision.variant())));
    }
  };
  calls(200, false);
  const Decision failing = operation.select({1});
  operation.fail(failing);
  forbidden = failing.variant();
  calls(300, false);
  if (forbidden != 1) {
    operation.enable("v1", false);
    calls(300, true);
    operation.enable("v1", true);
  }
  calls(300, false);
}

TEST_P(EveryPolicy, TimesFewerCallsOnceTheKeyIsSettled) {
  KeyStatistics key;
  key.candidates.resize(3);
  const std::unique_ptr<Policy> policy = replay::make_policy(name())();
  Random random(1);
  const auto feed = [&](std::uint32_t candidate, double ns) { policy->observe(key, key.add(candidate, ns)); };
  for (int round = 0; round < 200; ++round) {
    key.calls += 3.0;
    for (std::uint32_t i = 0; i < 3; ++i) feed(i, 10'000.0 * (1.0 + i) * (1.0 + 0.001 * (round % 10)));
    policy->choose(key, random);
  }
  key.settled = true;
  policy->choose(key, random);
  EXPECT_LE(policy->unconsulted(key).consulted, 1.0 / 4);
  EXPECT_GT(policy->unconsulted(key).consulted, 0.0) << "a change would never be noticed";
  EXPECT_EQ(policy->unconsulted(key).candidate, 0U);
}

TEST_P(EveryPolicy, LooksAgainAtARestartedCandidate) {
  if (!explores()) GTEST_SKIP() << "explores nothing by design";
  KeyStatistics key;
  key.candidates.resize(3);
  const std::unique_ptr<Policy> policy = replay::make_policy(name())();
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    for (std::uint32_t i = 0; i < 3; ++i) policy->observe(key, key.add(i, 10'000.0 * (1.0 + i)));
    key.calls += 3.0;
    policy->choose(key, random);
  }
  key.restart(2);
  bool looked = false;
  for (int call = 0; call < 5; ++call) {
    key.calls += 1.0;
    const Choice choice = policy->choose(key, random);
    looked = looked || choice.candidate == 2;
    policy->observe(key, key.add(choice.candidate, 10'000.0 * (1.0 + choice.candidate)));
  }
  EXPECT_TRUE(looked);
}

TEST_P(EveryPolicy, BeginsWithTheIncumbent) {
  KeyStatistics key;
  key.candidates.resize(4);
  key.incumbent = 2;
  Random random(1);
  EXPECT_EQ(replay::make_policy(name())()->choose(key, random).candidate, 2U);
  EXPECT_EQ(replay::make_policy(name())()->unconsulted(key).candidate, 2U);
}

INSTANTIATE_TEST_SUITE_P(, EveryPolicy, ::testing::ValuesIn(replay::policy_names()), test_name);

TEST(Fixed, NeverExplores) {
  RunOptions how;
  how.policy = make_policy("fixed");
  how.calls = 10'000;
  Synthetic environment({});
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Outcome outcome = replay::run(environment, how, seed);
    EXPECT_EQ(outcome.launched_variants, 1U);
    EXPECT_EQ(outcome.counters.explored, 0U);
    EXPECT_EQ(outcome.promotions, 0U);
    EXPECT_GT(outcome.counters.results, 0U);
    EXPECT_LT(outcome.timed_share, 1.0 / 32);
  }
}

// The first looks follow the priors, best first, after the incumbent.
TEST(FirstLooks, FollowThePriors) {
  for (const char* name : {"explore-first", "epsilon-greedy", "kl-ucb", "thompson"}) {
    KeyStatistics key;
    key.candidates.resize(4);
    key.incumbent = 3;
    const double priors[] = {9.3, VariantStatistics::none, 9.1, 9.2};
    for (std::size_t i = 0; i < 4; ++i) {
      key.candidates[i].prior = priors[i];
      key.candidates[i].prior_deviation = 0.05;
    }
    const std::unique_ptr<Policy> policy = replay::make_policy(name)();
    Random random(1);
    std::vector<std::uint32_t> order;
    for (int call = 0; call < 4; ++call) {
      key.calls += 1.0;
      order.push_back(policy->choose(key, random).candidate);
      ++key.candidates[order.back()].pending;
    }
    EXPECT_EQ(order, (std::vector<std::uint32_t>{3, 2, 0, 1})) << name;
  }
}

TEST(Thompson, LeavesOutWhatATrustedTableRulesOut) {
  KeyStatistics key;
  key.candidates.resize(3);
  key.trusted_prior = true;
  for (std::size_t i = 0; i < 3; ++i) {
    key.candidates[i].prior = 9.2 + 0.7 * static_cast<double>(i);
    key.candidates[i].prior_deviation = 0.02;
  }
  const std::unique_ptr<Policy> policy = make_policy("thompson")();
  Random random(1);
  for (int call = 0; call < 100; ++call) {
    key.calls += 1.0;
    const Choice choice = policy->choose(key, random);
    EXPECT_EQ(choice.candidate, 0U);
    key.add(choice.candidate, std::exp(9.2));
  }
}

}  // namespace
}  // namespace adaptive
