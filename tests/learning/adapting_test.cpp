// Latencies that change: the incumbent is left, and what happened is called what it is.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Drifting : public testing::Test {
 protected:
  Selector selector_{test::options()};
  Operation& op_ = selector_.define(test::operation({"a", "b", "c"}));
};

TEST_F(Drifting, ASlowerIncumbentIsDemoted) {
  test::learn(op_, {8}, {200, 100, 150});
  test::launch(op_, {8}, {200, 100, 150}, 2000, 1);
  ASSERT_EQ(test::incumbent(op_, {8}), 1u);
  const Pin pin = op_.pin({8});
  test::launch(op_, {8}, {200, 400, 150}, 4000, 2);
  EXPECT_EQ(test::incumbent(op_, {8}), 2u);
  EXPECT_TRUE(pin.stale());
  EXPECT_GE(op_.counters().demotions, 1u);
  EXPECT_EQ(op_.explain({8}).history.back().kind, EventKind::demotion);
}

TEST_F(Drifting, OfAllTogetherChangesNothing) {
  test::learn(op_, {8}, {200, 100, 150});
  test::launch(op_, {8}, {200, 100, 150}, 2000, 1);
  const std::uint64_t epoch = selector_.epoch();
  test::launch(op_, {8}, {400, 200, 300}, 4000, 2);
  EXPECT_EQ(test::incumbent(op_, {8}), 1u);
  EXPECT_EQ(selector_.epoch(), epoch);
}

// Nothing asks for a launch of a variant that is far behind: that it has become the fastest is seen only
// where there is a budget for looking.
TEST(Hidden, ImprovementIsFoundWithABudget) {
  for (const double budget : {0.0, 0.005}) {
    SelectorOptions options = test::options();
    options.learning.revalidation_budget = budget;
    Selector selector(options);
    Operation& op = selector.define(test::operation({"a", "b", "c"}));
    test::learn(op, {8}, {200, 100, 150});
    test::launch(op, {8}, {200, 100, 150}, 2000, 1);
    ASSERT_EQ(test::incumbent(op, {8}), 1u);
    test::launch(op, {8}, {200, 100, 50}, 4000, 2);
    EXPECT_EQ(test::incumbent(op, {8}), budget > 0.0 ? 2u : 1u) << budget;
  }
}

TEST_F(Drifting, IsNotSeenWhereThereIsNone) {
  test::learn(op_, {8}, {200, 100, 150});
  test::launch(op_, {8}, {200, 100, 150}, 50'000, 1);
  EXPECT_EQ(selector_.epoch(), 1u);
  EXPECT_TRUE(op_.explain({8}).settled);
}

}  // namespace
}  // namespace adaptive
