// Tests the defaults of a dimension, and the functions that make dimensions.
#include <adaptive/dimension.hpp>

#include <gtest/gtest.h>

namespace adaptive {
namespace {

TEST(Dimension, OfANameIsASize) {
  const Dimension dimension = {"tokens"};
  EXPECT_EQ(dimension.kind, DimensionKind::size);
  EXPECT_EQ(dimension.weight, 1.0);
  EXPECT_EQ(dimension.rounding, Rounding::none);
  EXPECT_TRUE(dimension.labels.empty());
}

TEST(Dimension, MakersSetTheKind) {
  const Dimension size = size_dimension("m", 2.0, Rounding::power_of_two);
  EXPECT_EQ(size.kind, DimensionKind::size);
  EXPECT_EQ(size.weight, 2.0);
  EXPECT_EQ(size.rounding, Rounding::power_of_two);
  const Dimension linear = linear_dimension("load", 0.5);
  EXPECT_EQ(linear.kind, DimensionKind::linear);
  EXPECT_EQ(linear.weight, 0.5);
  const Dimension label = label_dimension("dtype", {"fp16", "fp8"});
  EXPECT_EQ(label.kind, DimensionKind::label);
  EXPECT_EQ(label.labels.size(), 2u);
  EXPECT_EQ(set_dimension("bits", {"2", "4"}).kind, DimensionKind::label_set);
}

}  // namespace
}  // namespace adaptive
