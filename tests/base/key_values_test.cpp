#include "base/key_values.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace adaptive::inline v1::core {
namespace {

TEST(KeyText, NamesLabelsAndTheEmptySet) {
  const std::vector<Dimension> dimensions = {size_dimension("tokens"),
                                             label_dimension("dtype", {"fp16", "fp8"}),
                                             set_dimension("bits", {"2", "3", "4"})};
  EXPECT_EQ(print(dimensions, Key{17, 1, 0b101}), "tokens=17 dtype=fp8 bits=2+4");
  EXPECT_EQ(print(dimensions, Key{17, 0, 0}), "tokens=17 dtype=fp16 bits=none");
}

TEST(KeyText, HasTheNumberWhereNoLabelHasTheValue) {
  const std::vector<Dimension> dimensions = {label_dimension("dtype", {"fp16"}),
                                             set_dimension("bits", {"2"})};
  EXPECT_EQ(print(dimensions, Key{1, 2}), "dtype=1 bits=2");
  EXPECT_EQ(print(dimensions, Key{-1, -1}), "dtype=-1 bits=-1");
}

}  // namespace
}  // namespace adaptive::core
