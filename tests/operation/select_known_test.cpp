// Tests selection without a fallback: it returns nothing if nothing is known.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(SelectKnown, IsNothingForAKeyOfWhichNothingIsKnown) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  EXPECT_FALSE(op.select_known({8}).has_value());
  EXPECT_FALSE(op.select_known({8}).has_value()) << "asking teaches nothing";
}

TEST(SelectKnown, IsADecisionOnceThereAreResults) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  const Decision decision = op.select({8});
  EXPECT_FALSE(op.select_known({8}).has_value());
  op.record(decision, Latency(100.0));
  EXPECT_TRUE(op.select_known({8}).has_value());
}

TEST(SelectKnown, CountsWhatIsKnownOfANeighbour) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  test::learn(op, {8}, {200, 100});
  ASSERT_TRUE(op.select_known({9}).has_value());
  EXPECT_EQ(op.select_known({9})->variant(), 1u);
  EXPECT_FALSE(op.select_known({1024}).has_value());
}

TEST(SelectKnown, CountsANeighbourThatWasLearnedAfterTheFirstQuestion) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  ASSERT_FALSE(op.select_known({9}).has_value());
  test::learn(op, {8}, {200, 100});
  EXPECT_TRUE(op.select_known({9}).has_value());
}

}  // namespace
}  // namespace adaptive
