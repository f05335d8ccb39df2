// Tests the pairs of tiles that are the GPU variants of fused_moe. Needs no CUDA.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kernels/fused_moe/cuda/config.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

TEST(FusedMoeConfig, SaysAllInItsName) {
  std::set<std::string> names;
  for (const Pair& pair : all_pairs) EXPECT_TRUE(names.insert(name_of(pair)).second) << name_of(pair);
  EXPECT_EQ(name_of(Pair{mma(1), mma(1)}), "r16_mma_c64_k128_s5_fused");
  EXPECT_EQ(name_of(Pair{mma(1), wgmma(0), false}), "r16_mma_c64_k128_s5_wgmma_c64_k128_s5_apart");
}

TEST(FusedMoeConfig, FusedAndApartAreTwoClasses) {
  EXPECT_EQ(class_of(Pair{mma(1), wgmma(0)}), "mma_wgmma_fused");
  EXPECT_EQ(class_of(Pair{wgmma(3), wgmma(9), false}), "wgmma_wgmma_apart");
  EXPECT_EQ(class_of(Pair{mma(3), mma(1)}), "mma_x2_mma_fused");
}

// A warp activates the sums of sixteen rows of weights, eight of gate and eight of up.
TEST(FusedMoeConfig, TilesOfTheFusedProductHoldWholePairsOfEight) {
  for (const Pair& pair : all_pairs) {
    if (pair.fused) {
      EXPECT_EQ(pair.up.config().columns % 16, 0) << name_of(pair);
    }
    EXPECT_EQ(pair.up.config().rows, pair.down.config().rows) << name_of(pair);
  }
}

}  // namespace
}  // namespace adaptive::kernels::fused_moe
