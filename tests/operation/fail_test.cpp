// Tests failed launches: the variant is set aside for the key.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Failing : public testing::Test {
 protected:
  // Calls until the variant is chosen, and reports it as failed.
  void fail(std::uint32_t variant, const Key& key = {8}) {
    for (int i = 0; i < 100; ++i) {
      const Decision decision = op_.select(key);
      if (decision.variant() == variant) return op_.fail(decision);
      op_.record(decision, Latency(100.0 + decision.variant()));
    }
    ADD_FAILURE() << "variant " << variant << " was never chosen";
  }
  bool is_run(std::uint32_t variant, const Key& key = {8}) {
    bool run = false;
    for (int i = 0; i < 200; ++i) {
      const Decision decision = op_.select(key);
      run = run || decision.variant() == variant;
      op_.record(decision, Latency(100.0 + decision.variant()));
    }
    return run;
  }

  Selector selector_{test::options_with<test::RoundRobin>()};
  Operation& op_ = selector_.define(test::operation({"a", "b", "c"}));
};

TEST_F(Failing, SetsTheVariantAsideForThatKeyAlone) {
  fail(1);
  EXPECT_FALSE(is_run(1));
  EXPECT_TRUE(is_run(1, {9}));
  EXPECT_EQ(op_.counters().failures, 1u);
  const Explanation::Candidate b = op_.explain({8}).candidates.at(1);
  EXPECT_FALSE(b.available);
  EXPECT_EQ(b.failures, 1u);
  EXPECT_EQ(b.verdict, "set aside: it failed");
}

TEST_F(Failing, OfTheIncumbentPutsTheBestOfTheOthersInItsPlace) {
  test::launch(op_, {8}, {100, 300, 200}, 30);
  ASSERT_EQ(test::incumbent(op_, {8}), 0u);
  const std::uint64_t epoch = selector_.epoch();
  fail(0);
  EXPECT_EQ(test::incumbent(op_, {8}), 2u);
  EXPECT_GT(selector_.epoch(), epoch);
  const Explanation why = op_.explain({8});
  ASSERT_FALSE(why.history.empty());
  EXPECT_EQ(why.history.back().kind, EventKind::failure);
  EXPECT_EQ(why.history.back().from, "a");
  EXPECT_EQ(why.history.back().to, "c");
  EXPECT_LT(why.history.back().gain, 0.0);
}

TEST_F(Failing, OfTheIncumbentBeforeAnyResultPutsTheNextInItsPlace) {
  op_.fail(op_.select({8}));
  EXPECT_EQ(test::incumbent(op_, {8}), 1u);
  EXPECT_EQ(op_.counters().demotions, 0u) << "a failure is not counted as a demotion";
}

TEST_F(Failing, OfAllLeavesTheDefaultInUse) {
  fail(1);
  fail(2);
  fail(0);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(op_.select({8}).variant(), 0u);
  EXPECT_EQ(op_.pin({8}).variant(), 0u);
  selector_.set_mode(Mode::seed);
  EXPECT_EQ(op_.select({8}).variant(), 0u);
}

TEST_F(Failing, OfAllInAnyOrderLeavesTheDefaultInUse) {
  for (const auto& order :
       {std::vector<std::uint32_t>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {2, 1, 0}, {2, 0, 1}}) {
    op_.reset();
    for (const std::uint32_t variant : order) fail(variant);
    EXPECT_EQ(test::incumbent(op_, {8}), 0u);
    EXPECT_EQ(op_.select({8}).variant(), 0u);
  }
}

TEST_F(Failing, IsForgottenByAReset) {
  fail(1);
  op_.reset({8});
  EXPECT_TRUE(is_run(1));
}

TEST_F(Failing, IsNotForgottenByEnabling) {
  fail(1);
  op_.enable("b", false);
  op_.enable("b", true);
  EXPECT_FALSE(is_run(1));
}

TEST_F(Failing, TakesTheLaunchOffThePendingOnes) {
  const Decision decision = op_.select({8});
  op_.fail(decision);
  EXPECT_EQ(op_.explain({8}).candidates.at(decision.variant()).pending, 0u);
  op_.record(decision, Latency(1.0));
  EXPECT_EQ(op_.counters().results, 0u) << "a failed launch has no latency";
}

TEST_F(Failing, CountsEvenWhereItComesTooLate) {
  const Decision decision = op_.select({8});
  op_.record(decision, Latency(100.0));
  op_.fail(decision);
  EXPECT_EQ(op_.counters().failures, 1u);
  EXPECT_FALSE(is_run(decision.variant()));
}

TEST_F(Failing, OfAnUntimedLaunchCountsToo) {
  selector_.set_mode(Mode::frozen);
  op_.fail(op_.select({8}));
  EXPECT_EQ(op_.select({8}).variant(), 1u);
}

}  // namespace
}  // namespace adaptive
