// What exploration may cost.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

struct Cost {
  double lost_share = 0.0;
  Counters counters;
  std::uint32_t incumbent = 0;
};

// Three variants, one far slower; calls of a policy that never stops looking at all of them.
Cost run(double budget, PolicyFactory policy, int calls) {
  SelectorOptions options = test::options();
  options.learning.exploration_budget = budget;
  options.policy = std::move(policy);
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "slow"}));
  const std::vector<double> ns = {110, 100, 500};
  Random random(1);
  double lost = 0.0;
  double total = 0.0;
  for (int i = 0; i < calls; ++i) {
    const Decision decision = op.select({8});
    const double latency = test::noisy(random, ns[decision.variant()], 0.005);
    total += latency;
    lost += latency - 100.0;
    op.record(decision, Latency(latency));
  }
  return {lost / total, op.counters(), test::incumbent(op, {8})};
}

TEST(Budget, LimitsTheTimeLost) {
  const Cost unlimited = run(1.0, policy_of<test::RoundRobin>(), 20'000);
  EXPECT_GT(unlimited.lost_share, 0.3);
  EXPECT_EQ(unlimited.counters.exploration_refused, 0u);
  for (const double budget : {0.002, 0.01, 0.05}) {
    const Cost limited = run(budget, policy_of<test::RoundRobin>(), 20'000);
    EXPECT_LE(limited.lost_share, budget * 1.1 + 0.001) << budget;
    EXPECT_GT(limited.counters.exploration_refused, 0u);
    EXPECT_GT(limited.counters.explored, 10u) << "but there is some";
  }
}

TEST(Budget, StillLetsTheFastestBeFound) {
  EXPECT_EQ(run(0.01, make_policy("default"), 20'000).incumbent, 1u);
}

TEST(Budget, OfNothingExploresNothing) {
  const Cost none = run(0.0, policy_of<test::RoundRobin>(), 1000);
  EXPECT_EQ(none.counters.explored, 0u);
  EXPECT_EQ(none.incumbent, 0u);
}

TEST(Budget, WaitsForTheResultOfAnExploration) {
  SelectorOptions options = test::options_with<test::RoundRobin>();
  options.learning.exploration_budget = 0.05;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  for (int i = 0; i < 10; ++i) op.record(Key{8}, 0, Latency(100.0));
  int explored = 0;
  for (int i = 0; i < 300; ++i)
    if (op.select({8}).variant() != 0) ++explored;
  EXPECT_EQ(explored, 1) << "its cost is not known yet";
}

}  // namespace
}  // namespace adaptive
