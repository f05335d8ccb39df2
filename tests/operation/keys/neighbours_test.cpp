// Tests that a new key starts from what this run has learned about near keys.
#include <gtest/gtest.h>

#include <limits>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(Neighbours, OfThisRunAreBorrowedFrom) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  test::learn(op, {64}, {300, 200, 100});
  const Explanation why = op.explain({80});
  EXPECT_EQ(why.match.kind, MatchKind::nearest);
  EXPECT_EQ(why.match.source, Key{64});
  EXPECT_EQ(why.source, "m=64 of this run");
  EXPECT_EQ(op.select({80}).variant(), 2u);
}

TEST(Neighbours, BeyondTheLimitAreNot) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  test::learn(op, {64}, {300, 200, 100});
  EXPECT_EQ(op.select({129}).variant(), 0u);
  EXPECT_EQ(op.select({31}).variant(), 0u);
  EXPECT_EQ(op.explain({129}).match.kind, MatchKind::fallback);
  EXPECT_EQ(op.explain({128}).match.kind, MatchKind::nearest);
}

TEST(Neighbours, AreNeverAskedWithANegativeLimitAndAlwaysWithNone) {
  Selector selector(test::options());
  OperationSpec never = test::operation({"a", "b"}, "never");
  never.nearest_limit = -1.0;
  OperationSpec always = test::operation({"a", "b"}, "always");
  always.nearest_limit = std::numeric_limits<double>::infinity();
  Operation& one = selector.define(never);
  Operation& other = selector.define(always);
  for (Operation* op : {&one, &other}) test::learn(*op, {64}, {200, 100});
  EXPECT_EQ(one.select({65}).variant(), 0u);
  EXPECT_EQ(other.select({1'000'000'000}).variant(), 1u);
}

TEST(Neighbours, WithoutResultsAreNot) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  op.select({64});
  EXPECT_EQ(op.explain({65}).match.kind, MatchKind::fallback);
}

TEST(Neighbours, WhoseVariantCannotRunAreNot) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.variants[1].supports = [](const Key& key) { return key[0] % 64 == 0; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  test::learn(op, {64}, {200, 100});
  ASSERT_EQ(test::incumbent(op, {64}), 1u);
  EXPECT_EQ(op.select({65}).variant(), 0u);
  EXPECT_EQ(op.select({128}).variant(), 1u);
}

TEST(Neighbours, LendTheirLatenciesAsPriors) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  test::learn(op, {64}, {200, 100});
  op.select({65});
  EXPECT_NEAR(op.explain({65}).candidates.at(1).seed_ns, 100.0, 3.0);
  EXPECT_NEAR(op.explain({65}).candidates.at(0).seed_ns, 200.0, 10.0);
}

}  // namespace
}  // namespace adaptive
