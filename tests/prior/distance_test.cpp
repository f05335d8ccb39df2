// Distances between keys by example, rounding, printing.
#include "prior/distance.hpp"
#include "base/key_values.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace adaptive::inline v1::core {
namespace {

TEST(Distance, OfSizesIsInDoublings) {
  const std::vector<Dimension> dimensions = {size_dimension("m"), size_dimension("n")};
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{1, 64}, Key{2, 64}), 1.0);
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{4096, 64}, Key{8192, 64}), 1.0);
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{4, 64}, Key{1, 128}), 3.0);
}

TEST(Distance, TakesSizesOfZeroAndBelowAsOneHalf) {
  const std::vector<Dimension> dimensions = {size_dimension("m")};
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{0}, Key{1}), 1.0);
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{-7}, Key{4}), 3.0);
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{0}, Key{-7}), 0.0);
  EXPECT_TRUE(std::isfinite(distance(dimensions, Key{INT64_MIN}, Key{INT64_MAX})));
}

TEST(Distance, OfLinearDimensionsIsTheDifference) {
  const std::vector<Dimension> dimensions = {linear_dimension("load", 0.5)};
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{-3}, Key{5}), 4.0);
  EXPECT_TRUE(std::isfinite(distance(dimensions, Key{INT64_MIN}, Key{INT64_MAX})));
}

TEST(Distance, OfLabelsIsNothingOrInfinite) {
  const std::vector<Dimension> dimensions = {size_dimension("m"), label_dimension("dtype", {"a", "b"}),
                                             set_dimension("bits", {"2", "4", "8"})};
  EXPECT_EQ(distance(dimensions, Key{8, 1, 3}, Key{8, 1, 3}), 0.0);
  EXPECT_TRUE(std::isinf(distance(dimensions, Key{8, 0, 3}, Key{8, 1, 3})));
  EXPECT_TRUE(std::isinf(distance(dimensions, Key{8, 1, 3}, Key{8, 1, 1})));
}

TEST(Distance, IsWeighted) {
  const std::vector<Dimension> dimensions = {size_dimension("m", 0.0), size_dimension("n", 3.0)};
  EXPECT_DOUBLE_EQ(distance(dimensions, Key{1, 8}, Key{1024, 16}), 3.0);
}

TEST(Canonical, RoundsUpToPowersOfTwo) {
  const std::vector<Dimension> dimensions = {size_dimension("m", 1.0, Rounding::power_of_two),
                                             size_dimension("n")};
  EXPECT_EQ(canonical(dimensions, Key{17, 17}), (Key{32, 17}));
  EXPECT_EQ(canonical(dimensions, Key{32, 17}), (Key{32, 17}));
  EXPECT_EQ(canonical(dimensions, Key{1, 17}), (Key{1, 17}));
  EXPECT_EQ(canonical(dimensions, Key{0, 17}), (Key{0, 17}));
  EXPECT_EQ(canonical(dimensions, Key{-5, 17}), (Key{-5, 17}));
}

TEST(Canonical, LeavesWhatHasNoPowerOfTwoAboveItAlone) {
  const std::vector<Dimension> dimensions = {size_dimension("m", 1.0, Rounding::power_of_two)};
  const std::int64_t largest = std::int64_t{1} << 62;
  EXPECT_EQ(canonical(dimensions, Key{largest - 1}), Key{largest});
  EXPECT_EQ(canonical(dimensions, Key{largest}), Key{largest});
  EXPECT_EQ(canonical(dimensions, Key{largest + 1}), Key{largest + 1});
  EXPECT_EQ(canonical(dimensions, Key{INT64_MAX}), Key{INT64_MAX});
}

TEST(Print, NamesLabelsAndSets) {
  const std::vector<Dimension> dimensions = {size_dimension("tokens"),
                                             label_dimension("dtype", {"fp16", "fp8"}),
                                             set_dimension("bits", {"2", "3", "4"})};
  EXPECT_EQ(print(dimensions, Key{17, 1, 5}), "tokens=17 dtype=fp8 bits=2+4");
  EXPECT_EQ(print(dimensions, Key{17, 0, 7}), "tokens=17 dtype=fp16 bits=2+3+4");
}

TEST(Print, WritesWhatNoLabelNamesAsANumber) {
  const std::vector<Dimension> dimensions = {label_dimension("dtype", {"fp16"}),
                                             set_dimension("bits", {"2", "4"})};
  EXPECT_EQ(print(dimensions, Key{1, 4}), "dtype=1 bits=4");
  EXPECT_EQ(print(dimensions, Key{-1, 0}), "dtype=-1 bits=none");
  EXPECT_EQ(print(dimensions, Key{-1, -1}), "dtype=-1 bits=-1");
}

}  // namespace
}  // namespace adaptive::core
