#include "replay/environments/changing_sizes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include <adaptive/policy.hpp>
#include "replay/replay.hpp"
#include "replay/runner.hpp"

namespace adaptive::replay {
namespace {

TEST(ChangingSizes, NearlyEveryCallHasAnotherSize) {
  ChangingSizes environment;
  environment.restart(1);
  std::set<Key> keys;
  std::set<std::int64_t> weights;
  std::int64_t last = 0;
  int repeated = 0;
  int small = 0;
  double squares = 0.0;
  constexpr int calls = 10'000;
  for (int call = 0; call < calls; ++call) {
    environment.advance();
    const Key key = environment.key();
    ASSERT_GE(key[0], 1);
    ASSERT_LE(key[0], 16'384);
    small += key[0] < 128 ? 1 : 0;
    weights.insert(key[1] * key[2]);
    keys.insert(key);
    repeated += key[0] == last ? 1 : 0;
    last = key[0];
    const double noise = std::log(environment.launch(0) / environment.mean(0));
    squares += noise * noise;
    for (std::uint32_t i = 0; i < environment.size(); ++i)
      ASSERT_EQ(environment.means_at(key)[i], environment.mean(i));
  }
  EXPECT_EQ(environment.size(), 20U);
  EXPECT_EQ(weights.size(), 4U);
  EXPECT_NEAR(small, calls / 2, 200) << "half of the range of logarithms";
  EXPECT_LT(repeated, calls / 50);
  EXPECT_GT(keys.size(), 4'000U);
  EXPECT_NEAR(std::sqrt(squares / calls), 0.03, 0.001);
}

TEST(ChangingSizes, WavesAndRemaindersCount) {
  const ChangingSizes environment;
  const auto latency = [&](std::int64_t tokens) {
    return environment.means_at({tokens, 28'672, 4'096}).front();
  };
  EXPECT_EQ(latency(4'033), latency(4'096)) << "a tile computes its remainder in full";
  EXPECT_GT(latency(4'097), 1.01 * latency(4'096));
}

TEST(ChangingSizes, AreCountedBesideFixedVariants) {
  ChangingSizes environment;
  RunOptions options;
  options.policy = make_policy("fixed");
  options.calls = 3'500;
  options.judge_table = true;
  const Outcome outcome = run(environment, options, 1);
  ASSERT_TRUE(outcome.fixed);
  EXPECT_NEAR(outcome.overhead_end, outcome.fixed->overhead_default, 1e-9) << "that policy runs the default";
  EXPECT_LT(outcome.fixed->overhead_best, outcome.fixed->overhead_default);
  EXPECT_EQ(outcome.fixed->windows, 2U) << "without the first and the incomplete one";
  EXPECT_EQ(outcome.fixed->windows_behind_default, 0U);
  EXPECT_GT(outcome.counters.keys, 1'500U);
  EXPECT_GT(outcome.promoted, 0.0);
  EXPECT_LT(outcome.promoted, 1.0);
  EXPECT_GT(outcome.kept_gap, 0.0);
}

TEST(Interference, SlowsSuccessiveCallsOfEachPeriod) {
  SyntheticOptions options;
  options.variants = 2;
  options.noise = {0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 50.0};
  options.interference = {1'000, 5, 3.0};
  Synthetic environment(options);
  std::set<std::size_t> begins;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    environment.restart(seed);
    std::vector<std::size_t> slow;
    for (std::size_t call = 0; call < 2'000; ++call) {
      environment.advance();
      if (environment.launch(1) > 2.0 * environment.mean(1)) slow.push_back(call);
    }
    EXPECT_EQ(slow.size(), 10U);
    begins.insert(slow.front());
  }
  EXPECT_GT(begins.size(), 3U) << "a run begins anywhere in the period";
}

TEST(Scenarios, LockInSaysHowManyRunsEndSlow) {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name != "lock-in") continue;
    ReplayOptions options;
    options.run.policy = make_policy("fixed");
    options.run.calls = 100;
    options.run.checkpoints = {100};
    options.runs = 40;
    const ReplayResult result = replay(scenario, options);
    // The default is either of the two.
    EXPECT_NEAR(static_cast<double>(result.total.ended_slow), 20.0, 12.0);
    EXPECT_NEAR(result.total.overhead.back().mean(),
                1.5 * static_cast<double>(result.total.ended_slow) / 40.0, 1e-9);
    return;
  }
  FAIL() << "there is no such scenario";
}

}  // namespace
}  // namespace adaptive::replay
