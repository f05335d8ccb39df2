// What the policy that learns from all keys promises.
#include "policies/gaussian.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "replay/environments/environment.hpp"
#include "replay/environments/scenarios.hpp"
#include "replay/runner.hpp"
#include "tests/policies/effort.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

using replay::Outcome;
using replay::RunOptions;

struct Sum {
  double overhead = 0.0;
  double promoted = 0.0;
  double confirmed = 0.0;
  double gap = 0.0;
  std::size_t wrong = 0;
};

Sum play(const std::string& scenario, std::size_t count) {
  RunOptions how;
  how.policy = make_policy("gaussian");
  how.calls = 10'000;
  Sum sum;
  for (const replay::Scenario& known : replay::scenarios()) {
    if (known.name != scenario) continue;
    how.delivery = known.delivery;
    how.seeds = known.seeds;
    const auto environment = replay::environment_of(known);
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
      const Outcome outcome = replay::run(*environment, how, seed);
      const double share = 1.0 / static_cast<double>(count);
      sum.overhead += outcome.overhead_end * share;
      sum.promoted += outcome.promoted * share;
      sum.confirmed += outcome.confirmed * share;
      sum.gap += outcome.gap_incumbent * share;
      sum.wrong += outcome.wrong_promotions;
    }
  }
  return sum;
}

TEST(Gaussian, PromotesAndConfirmsWhatIsFastest) {
  // Of ten runs one that takes longer would already be a tenth.
  const Sum sum = play("steady", replay::runs(100, 40));
  EXPECT_LE(sum.overhead, 0.003);
  EXPECT_GE(sum.promoted, 0.98);
  EXPECT_GE(sum.confirmed, 0.95);
  EXPECT_EQ(sum.wrong, 0U);
}

TEST(Gaussian, NeverLocksIn) {
  const Sum sum = play("lock-in", replay::runs(100, 10));
  EXPECT_GE(sum.promoted, 0.999);
  EXPECT_LE(sum.overhead, 0.001);
}

TEST(Gaussian, FindsOutThatATableIsWrong) {
  EXPECT_LE(play("garbage seeds", replay::runs(40, 5)).overhead, 0.008);
  EXPECT_LE(play("wrong seeds", replay::runs(40, 10)).overhead, 0.006);
}

// In one of these runs the first launch of what the table names takes twenty times as long. The next best
// entries agree with their results: the late result says nothing of the table.
TEST(Gaussian, BelievesATableInSpiteOfALateResult) {
  const Sum sum = play("seeded", 50);
  EXPECT_LE(sum.overhead, 0.0005);
  EXPECT_EQ(sum.wrong, 0U);
  EXPECT_EQ(play("foreign seeds", 50).wrong, 0U);
}

// A single result of the default that took twenty times as long does not promote another variant.
TEST(Gaussian, DoesNotPromoteOnOneLateResult) {
  EXPECT_LE(play("steady", replay::runs(600, 20)).wrong, 1U);
}

// Looks at an incumbent that has become slower wait until the new leader has the results that a promotion
// takes.
TEST(Gaussian, ReplacesAnIncumbentThatHasBecomeSlowerAtLittleCost) {
  EXPECT_LE(play("best slower", replay::runs(50, 10)).overhead, 0.0028);
}

TEST(Gaussian, RemembersNothingOfABurst) {
  const Sum sum = play("bursts", replay::runs(200, 20));
  EXPECT_GE(sum.promoted, 0.98);
  EXPECT_EQ(sum.wrong, 0U);
}

// An operation at six keys of which the second of three variants has turned out to be the fastest.
Operation& with_six_known_keys(Selector& selector) {
  OperationSpec spec = test::operation({"slow", "fast", "slower"});
  spec.nearest_limit = 1.0;
  Operation& op = selector.define(spec);
  for (std::int64_t m = 1; m <= 1'024; m *= 4)
    for (int i = 0; i < 60; ++i) {
      test::launch(op, {m}, {300.0, 100.0, 400.0}, 1, static_cast<std::uint64_t>(m * 100 + i));
      selector.learn();
    }
  return op;
}

// A key that comes for the first time runs what other keys let expect to be the fastest.
TEST(Gaussian, CarriesWhatItLearnedToNewKeys) {
  SelectorOptions options = test::options();
  options.policy = make_policy("gaussian");
  options.background = false;
  Selector selector(options);
  Operation& op = with_six_known_keys(selector);
  const Decision first = op.select({100'000});
  EXPECT_EQ(first.variant(), 1U);
  EXPECT_TRUE(first.timed());
}

// Six keys agree that the last variant is by far the slowest. At the seventh it is the fastest, and those
// that were expected to be fast are not what was expected of them.
TEST(Gaussian, FindsWhatOtherKeysExpectToBeSlow) {
  SelectorOptions options = test::options();
  options.policy = make_policy("gaussian");
  Selector selector(options);
  OperationSpec spec = test::operation({"a", "b", "c", "d", "e", "f"});
  spec.nearest_limit = 1.0;
  Operation& op = selector.define(spec);
  for (std::int64_t m = 1; m <= 1'024; m *= 4)
    for (int i = 0; i < 100; ++i) {
      test::launch(op, {m}, {200.0, 100.0, 110.0, 120.0, 130.0, 250.0}, 1,
                   static_cast<std::uint64_t>(m * 1'000 + i));
      selector.learn();
    }
  for (int i = 0; i < 2'000; ++i) {
    test::launch(op, {100'000}, {200.0, 180.0, 100.0, 150.0, 110.0, 50.0}, 1, static_cast<std::uint64_t>(i));
    selector.learn();
  }
  EXPECT_EQ(test::incumbent(op, {100'000}), 5U);
}

// Nothing is promoted after a few calls; a table that is saved now must name what is known to be fast
// nevertheless.
TEST(Gaussian, SavesAfterAFewCallsWhatItBelieves) {
  SelectorOptions options = test::options();
  options.policy = make_policy("gaussian");
  Selector selector(options);
  Operation& op = with_six_known_keys(selector);
  for (int i = 0; i < 4; ++i)
    test::launch(op, {100'000}, {300.0, 100.0, 400.0}, 1, static_cast<std::uint64_t>(i));
  const Explanation why = op.explain({100'000});
  EXPECT_FALSE(why.settled);
  EXPECT_EQ(why.pinned, "fast");
  selector.set_mode(Mode::frozen);
  EXPECT_EQ(op.select({100'000}).variant(), 1U);
}

TEST(Gaussian, LearnsAVariantThatIsAddedLater) {
  SelectorOptions options = test::options();
  options.policy = make_policy("gaussian");
  options.background = false;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  test::launch(op, {8}, {200.0, 100.0, 50.0}, 500);
  selector.learn();
  op.add_variant({.name = "c"});
  for (int i = 0; i < 4'000; ++i) {
    test::launch(op, {8}, {200.0, 100.0, 50.0}, 1, static_cast<std::uint64_t>(i) + 2);
    selector.learn();
  }
  EXPECT_EQ(test::incumbent(op, {8}), 2U);
}

TEST(Gaussian, SeldomAsksAKeyWhoseVariantsAreAlike) {
  SelectorOptions options = test::options();
  options.policy = make_policy("gaussian");
  options.background = false;
  Selector selector(options);
  Operation& op = selector.define({.name = "op",
                                   .dimensions = {{"m"}},
                                   .variants = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}}});
  const auto call = [&] { op.record(op.select({64}), Latency(10'000.0)); };
  for (int i = 0; i < 10'000; ++i) call();
  const Counters before = op.counters();
  for (int i = 0; i < 10'000; ++i) call();
  const Counters after = op.counters();
  EXPECT_LE(after.explored - before.explored, 100U);
  EXPECT_LE(after.timed - before.timed, 500U);
}

TEST(Gaussian, LearnsWithoutAWorker) {
  SelectorOptions options = test::options();
  options.policy = make_policy("gaussian");
  options.background = false;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  test::launch(op, {8}, {200.0, 100.0, 150.0}, 3'000);
  EXPECT_EQ(test::incumbent(op, {8}), 1U);
  EXPECT_EQ(op.counters().promotions, 1U);
}

TEST(Gaussian, RunsWhatIsAvailable) {
  SelectorOptions options = test::options();
  options.policy = make_policy("gaussian");
  options.background = false;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  test::launch(op, {8}, {200.0, 100.0, 150.0}, 2'000);
  op.enable("b", false);
  for (int i = 0; i < 200; ++i) EXPECT_NE(op.select({8}).variant(), 1U);
  EXPECT_EQ(test::incumbent(op, {8}), 2U);
  EXPECT_EQ(op.counters().choices_invalid, 0U);
}

}  // namespace
}  // namespace adaptive
