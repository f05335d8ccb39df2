// Tests that a reset forgets what was learned in this run.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Resetting : public testing::Test {
 protected:
  Selector selector_{test::options()};
  Operation& op_ = selector_.define(test::operation({"a", "b"}));
};

TEST_F(Resetting, ForgetsAKey) {
  test::learn(op_, {8}, {200, 100});
  test::learn(op_, {512}, {200, 100});
  EXPECT_TRUE(op_.reset({8}));
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.incumbent, "a");
  EXPECT_EQ(why.calls, 0.0);
  EXPECT_TRUE(why.history.empty());
  for (const auto& candidate : why.candidates) EXPECT_EQ(candidate.count, 0u);
  EXPECT_EQ(test::incumbent(op_, {512}), 1u) << "the other key is as it was";
  EXPECT_FALSE(op_.reset({9}));
}

TEST_F(Resetting, ForgetsAllKeys) {
  for (int m = 1; m <= 64; m *= 4) test::learn(op_, {m}, {200, 100});
  op_.reset();
  for (int m = 1; m <= 64; m *= 4) EXPECT_EQ(test::incumbent(op_, {m}), 0u);
}

TEST_F(Resetting, ForgetsWhatKeysBorrowedFromEachOther) {
  test::learn(op_, {8}, {200, 100});
  EXPECT_EQ(op_.select({9}).variant(), 1u);
  op_.reset();
  EXPECT_EQ(op_.explain({9}).match.kind, MatchKind::fallback);
  EXPECT_EQ(op_.select({9}).variant(), 0u);
}

TEST_F(Resetting, DropsResultsThatAreStillOut) {
  const Decision before = op_.select({8});
  op_.reset();
  op_.record(before, Latency(100.0));
  EXPECT_EQ(op_.counters().results, 0u);
  const Decision after = op_.select({8});
  op_.record(after, Latency(100.0));
  EXPECT_EQ(op_.counters().results, 1u);
  EXPECT_EQ(op_.explain({8}).candidates.at(0).pending, 0u);
}

TEST_F(Resetting, LearnsAgain) {
  test::learn(op_, {8}, {200, 100});
  op_.reset();
  test::learn(op_, {8}, {100, 200});
  EXPECT_EQ(test::incumbent(op_, {8}), 0u);
}

TEST_F(Resetting, MakesPinsStaleAndKeepsSites) {
  const Site site = op_.site({8});
  test::learn(op_, {8}, {200, 100});
  const Pin pin = op_.pin({8});
  op_.reset();
  EXPECT_TRUE(pin.stale());
  EXPECT_EQ(site.select().variant(), 0u);
}

}  // namespace
}  // namespace adaptive
