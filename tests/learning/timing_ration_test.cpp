// What is timed where reading a clock takes as long as a launch.
#include "learning/key/timing_ration.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <adaptive/detail/ticks.hpp>
#include <adaptive/policy.hpp>
#include "learning/key/key_learner.hpp"
#include "tests/learning/noise.hpp"

namespace adaptive::inline v1::core {
namespace {

// The share of the time that timing takes if every call that may be timed is.
double time_share_of(const TimingRation& ration, int calls) {
  double timed = 0.0;
  double owed = 0.0;
  for (int i = 0; i < calls; ++i) {
    owed += ration.share(i, timed);
    if (owed < 1.0) continue;
    owed -= 1.0;
    timed += 1.0;
  }
  return timed * ration.cost / calls;
}

TEST(TimingRation, BoundsTheShareOfTheTimeFromTheFirstCallsOn) {
  for (const double cost : {0.5, 3.0, 20.0}) {
    const TimingRation ration{.cost = cost, .budget = 0.0005, .first_min = 10, .first_max = 28};
    const double first = std::max(10 * cost, 30.0);
    EXPECT_LE(time_share_of(ration, 1'000), 0.016 + first / 1'000) << cost;
    EXPECT_LE(time_share_of(ration, 20'000), 0.006 + first / 20'000) << cost;
    EXPECT_LE(time_share_of(ration, 1'000'000), 0.0008 + first / 1e6) << cost;
    EXPECT_GE(time_share_of(ration, 20'000), 0.003) << cost << ": what may be timed is";
  }
}

TEST(TimingRation, LetsTheFirstLaunchesBeTimedWhateverTheyCost) {
  const TimingRation ration{.cost = 1'000.0, .budget = 0.0, .first_min = 10, .first_max = 28};
  EXPECT_EQ(ration.share(9.0, 9.0), 1.0);
  EXPECT_LT(ration.share(10.0, 10.0), 1e-4);
  const TimingRation cheap{.cost = 0.1, .budget = 0.0, .first_min = 10, .first_max = 28};
  EXPECT_EQ(cheap.share(28.0, 27.0), 1.0);
  EXPECT_LT(cheap.share(28.0, 40.0), 0.25);
}

// Tickets number the timed launches.
std::uint32_t latest_ticket_of(const KeyLearner& learner) {
  return static_cast<std::uint32_t>(learner.counters().timed);
}

struct KeyRun {
  std::uint64_t timed = 0;
  std::uint32_t variant = 0;
};

// One key whose three variants take so long, where timing a launch costs 0.6 µs.
KeyRun run_key(const std::vector<double>& ns, double timing_cost_ns, int calls, double deviation) {
  LearningContext selector;
  selector.host_timing_cost_ns = timing_cost_ns;
  OperationContext operation{selector, "operation", {}};
  for (const char* name : {"a", "b", "c"}) operation.variants.append({.name = name});
  KeyLearner learner(operation, NewKey{.candidates = {0, 1, 2}}, make_policy("default")());
  detail::KeyHead head;
  learner.set_head(head);
  detail::Ticks ticks(0);
  Random random(1);
  for (int i = 0; i < calls; ++i) {
    if (ticks.next() >= head.plan.load()) continue;
    const Decision decision = learner.consult();
    const std::uint32_t variant = decision.variant();
    if (decision.timed())
      learner.record(variant, latest_ticket_of(learner), test::noisy(random, ns[variant], deviation));
  }
  return {learner.counters().timed, detail::Plan::variant(head.plan.load())};
}

TEST(TimingRation, TimesFewShortLaunchesAndStillFindsTheFastest) {
  const std::vector<double> ns = {45.0, 35.0, 60.0};
  const KeyRun unlimited = run_key(ns, 0.0, 20'000, 0.1);
  const KeyRun few = run_key(ns, 600.0, 20'000, 0.1);
  const KeyRun many = run_key(ns, 600.0, 2'000'000, 0.1);
  EXPECT_GT(unlimited.timed, 300u);
  EXPECT_LT(few.timed, 40u);
  EXPECT_EQ(few.variant, 1u);
  EXPECT_LT(many.timed, 150u);
  EXPECT_EQ(many.variant, 1u);
}

TEST(TimingRation, HardlyLimitsLaunchesOfTenMicroseconds) {
  const std::vector<double> ns = {10'400.0, 10'000.0, 12'000.0};
  const KeyRun unlimited = run_key(ns, 0.0, 10'000, 0.03);
  const KeyRun limited = run_key(ns, 600.0, 10'000, 0.03);
  EXPECT_GE(static_cast<double>(limited.timed), 0.8 * static_cast<double>(unlimited.timed));
  EXPECT_EQ(limited.variant, 1u);
}

TEST(TimingRation, BeginsAnewWhenTheKeyDoes) {
  LearningContext selector;
  selector.host_timing_cost_ns = 600.0;
  OperationContext operation{selector, "operation", {}};
  operation.variants.append({.name = "only"});
  KeyLearner learner(operation, NewKey{.candidates = {0}}, make_policy("default")());
  detail::KeyHead head;
  learner.set_head(head);
  const auto launch = [&](int calls) {
    const std::uint64_t before = learner.counters().timed;
    for (int i = 0; i < calls; ++i) {
      const Decision decision = learner.consult();
      if (decision.timed()) learner.record(0, latest_ticket_of(learner), 35.0);
      if (detail::Plan::share(head.plan.load()) < 0x8000'0000u) break;
    }
    return learner.counters().timed - before;
  };
  const std::uint64_t first = launch(1'000);
  EXPECT_LT(first, 20u);
  std::unique_ptr<Policy> policy = make_policy("default")();
  {
    const std::lock_guard lock(learner.lock());
    learner.reset({}, LaunchesOut::drop, policy);
  }
  EXPECT_EQ(launch(1'000), first);
}

}  // namespace
}  // namespace adaptive::core
