// What exploration may cost.
#include <gtest/gtest.h>

#include <string>
#include <vector>

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

struct Timed {
  double share = 0.0;
  std::uint64_t timed = 0;
  std::uint32_t incumbent = 0;
};

// Launches of 100 µs and of which each timed one takes 4 µs more.
Timed run_timed(Latency timing_cost, double budget, int calls) {
  SelectorOptions options = test::options();
  options.learning.timing_cost = timing_cost;
  options.learning.timing_budget = budget;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  const std::vector<double> ns = {103'000, 100'000, 101'000};
  Random random(1);
  double total = 0.0;
  for (int i = 0; i < calls; ++i) {
    const Decision decision = op.select({8});
    const double latency = test::noisy(random, ns[decision.variant()], 0.03);
    total += latency;
    if (decision.timed()) op.record(decision, Latency(latency));
  }
  const std::uint64_t timed = op.counters().timed;
  return {static_cast<double>(timed) * 4'000.0 / total, timed, op.select({8}).variant()};
}

TEST(TimingBudget, LimitsTheTimeSpentOnTiming) {
  const Timed unlimited = run_timed(Latency(0), 0.001, 10'000);
  EXPECT_GT(unlimited.share, 0.0008) << "close variants are compared for long";
  for (const double budget : {0.0001, 0.0002, 0.0004}) {
    const Timed limited = run_timed(Latency(4'000), budget, 10'000);
    const double first = (16 + 4 * 3 + 8 * 3) * 4'000.0 / (10'000 * 100'000.0);
    EXPECT_LE(limited.share, first + 1.2 * budget) << budget;
    EXPECT_GT(limited.timed, 40u);
    EXPECT_NE(limited.incumbent, 0u) << "3 % slower";
  }
}

TEST(TimingBudget, OfNothingTimesTheFirstLaunchesOnly) {
  const Timed none = run_timed(Latency(4'000), 0.0, 10'000);
  EXPECT_GE(none.timed, 16u + 4 * 3);
  EXPECT_LE(none.timed, 16u + 4 * 3 + 8 * 3) << "until each leader has eight results";
}

TEST(TimingBudget, OfOneSetsNoLimit) {
  // A launch shorter than what its timing costs: even the whole of its time would not pay for every timing.
  SelectorOptions options = test::options();
  options.policy = policy_of<test::Steady>();
  options.learning.timing_cost = Latency(4'000);
  options.learning.timing_budget = 1.0;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a"}));
  for (int i = 0; i < 500; ++i) op.record(op.select({8}), Latency(1'000));
  EXPECT_EQ(op.counters().timed, 500u);
}

TEST(TimingBudget, TakesTheCostThatATimerTells) {
  SelectorOptions options = test::options();
  options.learning.timing_budget = 0.0;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a"}));
  op.note_timing_cost(Latency(4'000));
  for (int i = 0; i < 5'000; ++i) {
    const Decision decision = op.select({8});
    if (decision.timed()) op.record(decision, Latency(100'000));
  }
  EXPECT_EQ(op.counters().timed, 16u + 4);
}

TEST(TimingBudget, IsChecked) {
  SelectorOptions options = test::options();
  options.learning.timing_cost = Latency(-1);
  EXPECT_THROW(Selector{options}, Error);
  options.learning.timing_cost = Latency(1);
  options.learning.timing_budget = 1.5;
  EXPECT_THROW(Selector{options}, Error);
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

// A variant that becomes available late, for instance once it is compiled, is measured although the timing
// budget of the key is used up.
TEST(TimingBudget, LeavesRoomForVariantsThatBecomeAvailableLater) {
  SelectorOptions options = test::options();
  options.learning.timing_cost = Latency(3'500.0);
  Selector selector(options);
  std::vector<std::string> names;
  std::vector<double> ns;
  for (int i = 0; i < 12; ++i) {
    names.push_back("v" + std::to_string(i));
    ns.push_back(i == 11 ? 20'000.0 : 24'000.0 + 500.0 * i);
  }
  Operation& op = selector.define(test::operation(names));
  for (std::size_t i = 2; i < names.size(); ++i) op.enable(names[i], false);
  test::launch(op, {8}, ns, 600, 1);
  for (std::size_t i = 2; i < names.size(); ++i) op.enable(names[i], true);
  test::launch(op, {8}, ns, 200, 2);
  EXPECT_EQ(op.explain({8}).running, "v11") << op.explain({8});
}

}  // namespace
}  // namespace adaptive
