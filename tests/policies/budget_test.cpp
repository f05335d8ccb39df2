// What bounds exploration whatever the policy wants: the budget, and the number of candidates.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "replay/environments/environment.hpp"
#include "replay/policies.hpp"
#include "replay/runner.hpp"
#include "tests/policies/test_name.hpp"

namespace adaptive {
namespace {

using replay::Synthetic;
using replay::SyntheticOptions;

SelectorOptions selector_options(std::string_view policy) {
  SelectorOptions options;
  options.device = {};
  options.policy = replay::make_policy(policy);
  options.use_environment = false;
  return options;
}

OperationSpec spec(std::size_t variants) {
  OperationSpec result{.name = "simulated", .dimensions = {{"size"}}};
  for (std::size_t i = 0; i < variants; ++i) result.variants.push_back({.name = "v" + std::to_string(i)});
  return result;
}

class Budget : public ::testing::TestWithParam<std::string_view> {};

TEST_P(Budget, IsKeptToWithinOneExploration) {
  constexpr double budget = 0.01;
  SyntheticOptions world;
  world.noise.outlier_share = 0.0;  // an outlier of the leader is nobody's exploration
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Synthetic environment(world, seed);
    SelectorOptions options = selector_options(GetParam());
    options.learning.exploration_budget = budget;
    Selector selector(options);
    Operation& operation = selector.define(spec(environment.size()));
    double largest = 0.0;
    for (std::uint32_t i = 0; i < environment.size(); ++i) largest = std::max(largest, environment.mean(i));
    double lost = 0.0;
    double spent = 0.0;
    std::uint32_t leader = 0;
    for (int call = 0; call < 4'000; ++call) {
      environment.advance();
      const Decision decision = operation.select({1});
      const std::uint32_t variant = decision.variant();
      spent += environment.mean(variant);
      lost += std::max(0.0, environment.mean(variant) - environment.mean(leader));
      const double one_exploration = largest - environment.best_mean();
      // The library knows latencies to a few percent only.
      ASSERT_LE(lost, 1.05 * budget * spent + one_exploration) << "seed " << seed << ", call " << call;
      if (!decision.timed()) continue;
      operation.record(decision, Latency(environment.launch(variant)));
      leader = *operation.find_variant(operation.explain({1}).leader);
    }
    if (GetParam() != "fixed") {
      EXPECT_LE(environment.gap(leader), replay::tie) << "seed " << seed;
    }
  }
}

TEST_P(Budget, OfZeroExploresNothingOnceSomethingIsKnown) {
  Synthetic environment({}, 1);
  SelectorOptions options = selector_options(GetParam());
  options.learning.exploration_budget = 0.0;
  Selector selector(options);
  Operation& operation = selector.define(spec(environment.size()));
  for (int call = 0; call < 500; ++call) {
    environment.advance();
    const Decision decision = operation.select({1});
    EXPECT_EQ(decision.variant(), 0U) << call;
    if (decision.timed()) operation.record(decision, Latency(environment.launch(decision.variant())));
  }
}

// A neighbour has told what to expect: only the most promising few, and the default, are run.
TEST_P(Budget, OfCandidatesLeavesTheMostPromising) {
  Synthetic environment({}, 2);
  SelectorOptions options = selector_options(GetParam());
  options.learning.candidates_max = 3;
  Selector selector(options);
  Operation& operation = selector.define(spec(environment.size()));
  for (int round = 0; round < 20; ++round)
    for (std::uint32_t i = 0; i < environment.size(); ++i)
      operation.record({1'000}, i, Latency(environment.mean(i) * (1.0 + 0.001 * round)));

  std::vector<bool> launched(environment.size(), false);
  for (int call = 0; call < 3'000; ++call) {
    environment.advance();
    const Decision decision = operation.select({1'001});
    launched[decision.variant()] = true;
    if (decision.timed()) operation.record(decision, Latency(environment.launch(decision.variant())));
  }
  EXPECT_LE(std::count(launched.begin(), launched.end(), true), 3);
  EXPECT_TRUE(launched[environment.best()]);
  EXPECT_EQ(operation.explain({1'001}).leader, "v" + std::to_string(environment.best()));
}

INSTANTIATE_TEST_SUITE_P(, Budget, ::testing::ValuesIn(replay::policy_names()), test_name);

}  // namespace
}  // namespace adaptive
