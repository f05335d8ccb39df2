// Tests that sizes that are rounded to the same value share one entry.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class RoundedSizes : public testing::Test {
 protected:
  static OperationSpec spec() {
    OperationSpec result = test::operation({"a", "b"});
    result.dimensions = {size_dimension("m", 1.0, Rounding::power_of_two), size_dimension("n")};
    return result;
  }
  Selector selector_{test::options()};
  Operation& op_ = selector_.define(spec());
};

TEST_F(RoundedSizes, ShareOneEntry) {
  for (int m = 17; m <= 32; ++m) test::learn(op_, {m, 8}, {200, 100});
  EXPECT_EQ(op_.counters().keys, 1u);
  EXPECT_EQ(test::incumbent(op_, {20, 8}), 1u);
  EXPECT_EQ(op_.explain({20, 8}).key, "m=32 n=8");
  op_.select({16, 8});
  op_.select({20, 9});
  EXPECT_EQ(op_.counters().keys, 3u);
}

TEST_F(RoundedSizes, AreOneKeyForEveryMember) {
  op_.record(Key{17, 8}, 1, Latency(100.0));
  EXPECT_TRUE(op_.select_known({30, 8}).has_value());
  EXPECT_EQ(op_.explain({25, 8}).candidates.at(1).count, 1u);
  EXPECT_TRUE(op_.reset({31, 8}));
  EXPECT_EQ(op_.explain({25, 8}).candidates.at(1).count, 0u);
  EXPECT_EQ(op_.counters().keys, 1u);
}

TEST_F(RoundedSizes, AreWhatSupportsIsAskedAbout) {
  OperationSpec spec = RoundedSizes::spec();
  spec.name = "rounded";
  spec.max_keys = 1;
  spec.variants[1].supports = [](const Key& key) {
    EXPECT_EQ(key[0] & (key[0] - 1), 0) << key[0];
    return true;
  };
  Operation& op = selector_.define(spec);
  op.select({17, 8});
  op.select({65, 8});  // beyond max_keys
}

}  // namespace
}  // namespace adaptive
