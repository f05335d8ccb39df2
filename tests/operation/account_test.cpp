// Tests the properties of an operation as a whole: its keys, its device, and the time lost and saved.
#include <gtest/gtest.h>

#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Accounting : public testing::Test {
 protected:
  // Runs `calls` calls of a key; variant i takes latencies_ns[i].
  void run(const Key& key, int calls, const std::vector<double>& latencies_ns) {
    for (int i = 0; i < calls; ++i) {
      const Decision decision = op_.select(key);
      op_.record(decision, Latency(latencies_ns[decision.variant()]));
    }
  }

  Selector selector_{{.device = {.device = "Test Device 1"}, .background = false, .use_environment = false}};
  Operation& op_ = selector_.define(test::operation({"a", "b", "c"}));
};

TEST_F(Accounting, ListsTheKeysInTheOrderInWhichTheyCame) {
  EXPECT_TRUE(op_.keys().empty());
  static_cast<void>(op_.select({8}));
  static_cast<void>(op_.select({4}));
  static_cast<void>(op_.select({8}));
  EXPECT_EQ(op_.keys(), (std::vector<Key>{Key{8}, Key{4}}));
}

TEST_F(Accounting, NamesTheDeviceOfItsSelector) {
  EXPECT_EQ(op_.device(), selector_.device());
  EXPECT_EQ(op_.device().device, "Test Device 1");
}

TEST_F(Accounting, BeginsAtZero) {
  const Account account = op_.account();
  EXPECT_EQ(account.calls, 0.0);
  EXPECT_EQ(account.calls_compared, 0.0);
  EXPECT_EQ(account.lost_exploring_ns, 0.0);
  EXPECT_EQ(account.saved_ns, 0.0);
}

TEST_F(Accounting, SavesWhatTheDefaultWouldHaveTakenLonger) {
  run({8}, 2000, {2000.0, 1000.0, 4000.0});
  const Account account = op_.account();
  const Explanation why = op_.explain({8});
  // Latencies do not vary, so that the sums are exact.
  const double saved = why.candidates.at(1).calls * 1000.0 - why.candidates.at(2).calls * 2000.0;
  EXPECT_NEAR(account.saved_ns, saved, 1e-6 * saved);
  EXPECT_GT(account.saved_ns, 1000.0 * 1500.0);
  EXPECT_NEAR(account.calls, why.calls, 1e-6);
  EXPECT_NEAR(account.calls_compared, account.calls, 1.0);
  EXPECT_GT(account.lost_exploring_ns, 0.0);
  EXPECT_LT(account.lost_exploring_ns, 2000.0 * 50.0);
}

TEST_F(Accounting, LeavesOutCallsThatNothingCanBeComparedWith) {
  // No latency arrives: nothing is known, so nothing counts as saved.
  for (int i = 0; i < 100; ++i) static_cast<void>(op_.select({8}));
  const Account account = op_.account();
  EXPECT_GT(account.calls, 0.0);
  EXPECT_EQ(account.calls_compared, 0.0);
  EXPECT_EQ(account.saved_ns, 0.0);
}

TEST_F(Accounting, SumsTheKeysAndForgetsThemAtAReset) {
  run({8}, 500, {2000.0, 1000.0, 4000.0});
  const double first = op_.account().saved_ns;
  run({4096}, 500, {2000.0, 1000.0, 4000.0});
  EXPECT_GT(op_.account().saved_ns, 1.5 * first);
  op_.reset();
  EXPECT_EQ(op_.account().saved_ns, 0.0);
  EXPECT_EQ(op_.account().calls, 0.0);
}

}  // namespace
}  // namespace adaptive
