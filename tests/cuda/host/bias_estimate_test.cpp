// Tests the estimate of the bias of event pairs.
#include "cuda/bias/estimate.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace adaptive::inline v1::cuda {
namespace {

TEST(BiasEstimate, IsTheDifferenceOfTheTwoClocks) {
  const std::vector<BiasSample> samples(9, {13'500, 10'000});
  EXPECT_EQ(bias_of(samples).count(), 3'500);
}

TEST(BiasEstimate, IsNotMovedByAThirdOfTheKernelsHavingToWait) {
  std::vector<BiasSample> samples(16, {13'500, 10'000});
  for (std::size_t i = 0; i < samples.size(); i += 3) samples[i].pair_ns = 500'000;
  EXPECT_EQ(bias_of(samples).count(), 3'500);
}

TEST(BiasEstimate, IsNeverNegative) {
  EXPECT_EQ(bias_of({}).count(), 0);
  const std::vector<BiasSample> samples(4, {9'000, 10'000});
  EXPECT_EQ(bias_of(samples).count(), 0);
}

TEST(BiasEstimate, LeavesAReadingPositive) {
  EXPECT_EQ(without_bias(13'500, Latency{3'500}).count(), 10'000);
  EXPECT_EQ(without_bias(3'600, Latency{3'500}), latency_min);
  EXPECT_EQ(without_bias(0, Latency{3'500}), latency_min);
}

}  // namespace
}  // namespace adaptive::cuda
