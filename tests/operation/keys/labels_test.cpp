// Tests labels and sets of labels in keys.
#include <gtest/gtest.h>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Labels : public testing::Test {
 protected:
  static OperationSpec spec() {
    OperationSpec result = test::operation({"a", "b"});
    result.dimensions = {size_dimension("m"), label_dimension("dtype", {"fp16", "fp8"}),
                         set_dimension("bits", {"2", "3", "4", "8"})};
    return result;
  }
  Selector selector_{test::options()};
  Operation& op_ = selector_.define(spec());
};

TEST_F(Labels, AreIndicesAndSetsAreMasks) {
  EXPECT_EQ(op_.label("dtype", "fp8"), 1);
  EXPECT_EQ(op_.labels("bits", {"2", "4"}), 0b101);
  EXPECT_EQ(op_.labels("bits", {"4", "2", "4"}), 0b101) << "order and repetition make no difference";
  EXPECT_EQ(op_.labels("bits", {}), 0);
}

TEST_F(Labels, MakeKeysThatArePrintedByName) {
  const Key key{17, op_.label("dtype", "fp8"), op_.labels("bits", {"8", "2"})};
  EXPECT_EQ(op_.explain(key).key, "m=17 dtype=fp8 bits=2+8");
}

TEST_F(Labels, ThatDiffersAreNeverBorrowedFrom) {
  const std::int64_t bits = op_.labels("bits", {"2", "4"});
  test::learn(op_, {64, 0, bits}, {200, 100});
  EXPECT_EQ(op_.select({64, 1, bits}).variant(), 0u);
  EXPECT_EQ(op_.select({64, 0, op_.labels("bits", {"2"})}).variant(), 0u);
  EXPECT_EQ(op_.select({65, 0, op_.labels("bits", {"4", "2"})}).variant(), 1u);
}

TEST_F(Labels, UnknownAreRefusedWithTheirPlace) {
  EXPECT_THROW(op_.label("dtype", "int8"), Error);
  EXPECT_THROW(op_.labels("bits", {"2", "5"}), Error);
  EXPECT_THROW(op_.label("bits", "2"), Error) << "a set is no label";
  EXPECT_THROW(op_.labels("dtype", {"fp8"}), Error);
  EXPECT_THROW(op_.label("m", "2"), Error);
  try {
    op_.label("dtype", "int8");
  } catch (const Error& error) {
    EXPECT_NE(error.where().find("dtype"), std::string::npos) << error.what();
    EXPECT_NE(error.problem().find("int8"), std::string::npos) << error.what();
  }
}

TEST_F(Labels, OutsideTheirRangeAreServedAllTheSame) {
  EXPECT_EQ(op_.select({64, 99, -1}).variant(), 0u);
  EXPECT_FALSE(op_.explain({64, 99, -1}).text().empty());
}

}  // namespace
}  // namespace adaptive
