// Tests pins: the incumbent at one moment, and whether it has changed since then.
#include <gtest/gtest.h>

#include <type_traits>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

static_assert(std::is_trivially_copyable_v<Pin>);
static_assert(std::is_trivially_copyable_v<Decision>);
static_assert(std::is_trivially_copyable_v<Site>);

TEST(Pin, OfNothingIsTheDefaultAndNeverStale) {
  const Pin pin;
  EXPECT_EQ(pin.variant(), 0u);
  EXPECT_FALSE(pin.stale());
}

TEST(Pin, IsStaleAfterAPromotion) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Pin before = op.pin({8});
  EXPECT_EQ(before.variant(), 0u);
  EXPECT_FALSE(before.stale());
  test::learn(op, {8}, {200, 100});
  EXPECT_TRUE(before.stale());
  const Pin after = op.pin({8});
  EXPECT_EQ(after.variant(), 1u);
  EXPECT_FALSE(after.stale());
}

// A promotion waits until it is sure; a captured graph should not wait that long.
TEST(Pin, IsStaleOnceAnotherVariantIsLikelyFaster) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b", "never measured"}));
  const Pin pin = op.pin({8});
  op.record(Key{8}, 1, Latency(100.0));
  EXPECT_FALSE(pin.stale()) << "nothing is known of the incumbent";
  for (int i = 0; i < 3; ++i) op.record(Key{8}, 0, Latency(200.0));
  op.record(Key{8}, 1, Latency(100.0));
  EXPECT_TRUE(pin.stale());
  EXPECT_EQ(op.pin({8}).variant(), 1u);
  EXPECT_EQ(op.explain({8}).incumbent, "a") << "not promoted yet";
}

TEST(Pin, IsNotStaleByMereExploration) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Pin pin = op.pin({8});
  test::learn(op, {8}, {100, 200});
  EXPECT_FALSE(pin.stale());
}

TEST(Pin, IsStaleAfterAFailure) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Pin pin = op.pin({8});
  const Decision decision = op.select({8});
  ASSERT_EQ(decision.variant(), 0u);
  op.fail(decision);
  EXPECT_TRUE(pin.stale());
  EXPECT_EQ(op.pin({8}).variant(), 1u);
}

TEST(Pin, IsStaleThoughTheFirstVariantHasComeBack) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Pin pin = op.pin({8});
  op.record(Key{8}, 1, Latency(100.0));
  op.enable("b", false);
  op.enable("b", true);
  test::learn(op, {8}, {200, 100});
  ASSERT_EQ(op.pin({8}).variant(), 1u);
  op.enable("b", false);
  ASSERT_EQ(op.pin({8}).variant(), 0u);
  EXPECT_TRUE(pin.stale()) << "a captured graph of before may hold other parameters";
}

TEST(Pin, OfOneKeyIsNotStaleByAnother) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Pin pin = op.pin({8});
  test::learn(op, {4096}, {200, 100});
  EXPECT_FALSE(pin.stale());
}

TEST(Pin, TellsWhichLaunchFailed) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Pin pin = op.pin({8});
  EXPECT_EQ(pin.decision().variant(), pin.variant());
  EXPECT_FALSE(pin.decision().timed());
  op.fail(pin.decision());
  EXPECT_EQ(op.counters().failures, 1u);
  EXPECT_EQ(op.pin({8}).variant(), 1u);
}

TEST(Pin, NeverExploresNorAsksToBeTimed) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(op.pin({8}).variant(), 0u);
  EXPECT_EQ(op.counters().consulted, 0u);
}

}  // namespace
}  // namespace adaptive
