// Tests what each mode runs and learns, and changes of the mode during a run.
#include <gtest/gtest.h>

#include <set>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Modes : public testing::Test {
 protected:
  // Learns that variant 1 is the fastest; the default is 0.
  void learn() { test::learn(op_, {8}, {300, 100, 200}); }
  std::uint32_t runs(int calls = 50) {
    std::set<std::uint32_t> seen;
    for (int i = 0; i < calls; ++i) {
      const Decision decision = op_.select({8});
      EXPECT_FALSE(decision.timed());
      seen.insert(decision.variant());
    }
    EXPECT_EQ(seen.size(), 1u);
    return *seen.begin();
  }

  Selector selector_{test::options()};
  Operation& op_ = selector_.define(test::operation({"a", "b", "c"}));
};

TEST_F(Modes, OnlineExploresLearnsAndPromotes) {
  test::launch(op_, {8}, {300, 100, 200}, 300);
  learn();
  EXPECT_EQ(test::incumbent(op_, {8}), 1u);
  EXPECT_GT(op_.counters().explored, 0u);
  EXPECT_EQ(op_.counters().promotions, 1u);
  EXPECT_EQ(selector_.epoch(), 1u);
}

TEST_F(Modes, OffRunsTheDefaultUntimed) {
  learn();
  selector_.set_mode(Mode::off);
  EXPECT_EQ(selector_.mode(), Mode::off);
  EXPECT_EQ(runs(), 0u);
  EXPECT_EQ(op_.site({8}).select().variant(), 0u);
  EXPECT_EQ(op_.select({9}).variant(), 0u) << "a key near a learned one";
}

TEST_F(Modes, OffIsAKillSwitchForPinsToo) {
  learn();
  const Pin before = op_.pin({8});
  EXPECT_EQ(before.variant(), 1u);
  selector_.set_mode(Mode::off);
  EXPECT_TRUE(before.stale());
  EXPECT_EQ(op_.pin({8}).variant(), 0u);
  EXPECT_EQ(op_.site({8}).pin().variant(), 0u);
  selector_.set_mode(Mode::online);
  EXPECT_EQ(op_.pin({8}).variant(), 1u);
}

TEST_F(Modes, SeedRunsWhatTheKeyBeganWith) {
  learn();
  selector_.set_mode(Mode::seed);
  EXPECT_EQ(runs(), 0u);
  EXPECT_EQ(op_.pin({8}).variant(), 0u);
}

TEST_F(Modes, FrozenRunsTheIncumbentUntimed) {
  learn();
  selector_.set_mode(Mode::frozen);
  EXPECT_EQ(runs(), 1u);
  EXPECT_EQ(op_.pin({8}).variant(), 1u);
}

TEST_F(Modes, FrozenPromotesNothing) {
  selector_.set_mode(Mode::frozen);
  for (int i = 0; i < 100; ++i) {
    op_.record(Key{8}, 0, Latency(300.0));
    op_.record(Key{8}, 1, Latency(100.0));
    op_.record(Key{8}, 2, Latency(200.0));
  }
  EXPECT_EQ(runs(), 0u);
  EXPECT_EQ(op_.counters().results, 300u) << "a latency recorded all the same is used";
  EXPECT_EQ(selector_.epoch(), 0u);
  selector_.set_mode(Mode::online);
  EXPECT_EQ(op_.select({8}).variant(), 1u) << "what was recorded meanwhile is known";
}

TEST_F(Modes, ObserveRunsTheSeedTimesItAndSaysWhatOnlineWouldHaveChosen) {
  learn();
  selector_.set_mode(Mode::observe);
  int timed = 0;
  for (int i = 0; i < 2000; ++i) {
    const Decision decision = op_.select({8});
    EXPECT_EQ(decision.variant(), 0u);
    if (!decision.timed()) continue;
    ++timed;
    op_.record(decision, Latency(300.0));
  }
  EXPECT_GT(timed, 0);
  EXPECT_EQ(op_.explain({8}).leader, "b");
  EXPECT_EQ(selector_.epoch(), 1u) << "nothing changes";
}

TEST_F(Modes, ObservePromotesNothing) {
  selector_.set_mode(Mode::observe);
  test::learn(op_, {8}, {300, 100, 200});
  for (int i = 0; i < 100; ++i) op_.record(Key{8}, 1, Latency(100.0));
  EXPECT_EQ(selector_.epoch(), 0u);
  EXPECT_EQ(op_.pin({8}).variant(), 0u);
  EXPECT_EQ(op_.counters().explored, 0u);
}

TEST_F(Modes, TakeEffectForEveryKeyAtOnce) {
  for (int m = 1; m <= 100; ++m) test::learn(op_, {m}, {300, 100, 200});
  selector_.set_mode(Mode::off);
  for (int m = 1; m <= 100; ++m) ASSERT_EQ(op_.select({m}).variant(), 0u) << m;
  selector_.set_mode(Mode::frozen);
  for (int m = 1; m <= 100; ++m) ASSERT_EQ(op_.select({m}).variant(), 1u) << m;
}

TEST_F(Modes, ResumeWhereTheyLeftOff) {
  learn();
  const std::uint64_t results = op_.counters().results;
  for (const Mode mode : {Mode::off, Mode::seed, Mode::frozen}) {
    selector_.set_mode(mode);
    for (int i = 0; i < 100; ++i) op_.select({8});
    EXPECT_EQ(op_.counters().results, results);
  }
  selector_.set_mode(Mode::online);
  learn();
  EXPECT_GT(op_.counters().results, results);
  EXPECT_EQ(test::incumbent(op_, {8}), 1u);
}

TEST_F(Modes, TakeLateResultsOfBefore) {
  const Decision decision = op_.select({8});
  ASSERT_TRUE(decision.timed());
  selector_.set_mode(Mode::off);
  op_.record(decision, Latency(100.0));
  EXPECT_EQ(op_.counters().results, 1u);
}

}  // namespace
}  // namespace adaptive
