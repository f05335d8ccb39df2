// Tests the requirements and names of the GPU variants of mixed_bit_matmul. Needs no CUDA.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "kernels/mixed_bit_matmul/cuda/balanced/config.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

TEST(MixedBitConfig, SaysAllInItsName) {
  std::set<std::string> names;
  for (const DecodeConfig& config : decode_configs)
    EXPECT_TRUE(names.insert(name_of(config)).second) << name_of(config);
  for (const MmaConfig& config : mma_configs)
    EXPECT_TRUE(names.insert(name_of(config)).second) << name_of(config);
  for (const SplitConfig& config : split_configs)
    EXPECT_TRUE(names.insert(name_of(config)).second) << name_of(config);
  for (const BalancedConfig& config : balanced_configs)
    EXPECT_TRUE(names.insert(name_of(config)).second) << name_of(config);
  for (const WgmmaConfig& config : wgmma_configs)
    EXPECT_TRUE(names.insert(name_of(config)).second) << name_of(config);
  EXPECT_EQ(name_of(decode_configs[0]), "decode_k8_p2");
  EXPECT_EQ(class_of(decode_configs[0]), class_of(decode_configs[1])) << "the parts alone decide";
  EXPECT_NE(class_of(decode_configs[0]), class_of(decode_configs[2]));
}

// 227 KiB per block; 228 KiB per multiprocessor, of which the system uses 1 KiB for each block; 65,536
// registers.
TEST(MixedBitConfig, FitsAMultiprocessorAsOftenAsItSays) {
  for (const DecodeConfig& config : decode_configs)
    EXPECT_EQ(65536 / (config.resident() * config.warps() * 32), 128) << name_of(config);
  for (const MmaConfig& config : mma_configs)
    for (const int bits : {2, 3, 4, 8}) {
      SCOPED_TRACE(name_of(config));
      const Stages stages = mma_stages(config, config.tokens, bits);
      if (bits < 8) {
        EXPECT_GE(stages.count, 2);
      }
      EXPECT_NE(stages.count, 1) << "one stage is none: nothing could be on its way";
      EXPECT_LE(stages.count == 0 ? 0 : stages.bytes, shared_bytes_max);
    }
  for (const WgmmaConfig& config : wgmma_configs)
    for (const int bits : {2, 3, 4, 8}) {
      SCOPED_TRACE(name_of(config));
      EXPECT_GE(wgmma_stages(config, bits).count, 2);
      EXPECT_LE(wgmma_stages(config, bits).bytes, shared_bytes_max);
    }
}

TEST(MixedBitConfig, SplitTilesFitAndKeepRoomForTheirSums) {
  for (const SplitConfig& config : split_configs) {
    const SplitTile& tile = split_tiles[static_cast<std::size_t>(config.tile)];
    EXPECT_EQ(tile.cluster, config.parts > 0) << name_of(config);
    EXPECT_LE(config.parts, split_parts_max);
    EXPECT_LE(tile.threads() * tile.resident() * 128, 65536) << "registers of 128 for each thread";
    for (const int bits : {2, 3, 4, 8}) {
      SCOPED_TRACE(name_of(config) + ", bits " + std::to_string(bits));
      const SplitStages stages = split_stages(tile, bits, config.parts);
      if (stages.words == 0) {
        EXPECT_EQ(bits, 8);
        continue;
      }
      EXPECT_GE(stages.words, 2);
      EXPECT_GE(stages.x, 2);
      EXPECT_LE((stages.bytes + 1024) * tile.resident(), 228 * 1024);
      if (tile.cluster) {
        EXPECT_GE(stages.bytes, tile.rows * tile.tokens * 4);
      }
    }
  }
}

TEST(MixedBitConfig, BalancedTilesFit) {
  for (const BalancedConfig& config : balanced_configs) {
    SCOPED_TRACE(name_of(config));
    for (const int bits : {2, 3, 4, 8}) {
      EXPECT_GE(balanced_stages(config, bits).x, 2) << bits;
      EXPECT_LE(balanced_stages(config, bits).bytes, shared_bytes_max) << bits;
    }
    if (!config.donates()) continue;
    // What a launch of this many threads gets for each, in steps of eight.
    const int each = 65536 / config.threads() / 8 * 8;
    EXPECT_LE(128 * config.groups() * config.registers_taken() + 128 * config.registers_left(),
              config.threads() * each)
        << "the warp groups would wait for registers for ever";
  }
}

TEST(MixedBitConfig, BalancedSharesCoverAllGroupsOnce) {
  for (const auto& [tiles, groups] :
       {std::pair{1, 1}, {1, 40}, {3, 7}, {20, 64}, {48, 40}, {131, 9}, {272, 80}})
    for (const int blocks_max : {1, 2, 78, 132}) {
      const BalancedGrid grid = balanced_grid(tiles, groups, blocks_max);
      SCOPED_TRACE(std::to_string(tiles) + " tiles of " + std::to_string(groups) + " for " +
                   std::to_string(blocks_max));
      ASSERT_GE(grid.blocks, 1);
      ASSERT_LE(grid.blocks, blocks_max);
      ASSERT_EQ(grid.first(0), 0);
      ASSERT_EQ(grid.first(grid.blocks), tiles * groups);
      for (int block = 0; block < grid.blocks; ++block) {
        const int size = grid.first(block + 1) - grid.first(block);
        ASSERT_GE(size, 1);
        ASSERT_LE(size, (tiles * groups + grid.blocks - 1) / grid.blocks);
        ASSERT_EQ(grid.owner_of(grid.first(block)), block);
        ASSERT_EQ(grid.owner_of(grid.first(block + 1) - 1), block);
      }
    }
}

TEST(MixedBitConfig, DecodingHoldsAllActivations) {
  for (const DecodeConfig& config : decode_configs) {
    EXPECT_GE(decode_bytes(config, 2, 8192 / 64), 2 * 8192 * 2);
    EXPECT_LE(decode_bytes(config, 2, 53248 / 64), shared_bytes_max);
    EXPECT_GT(decode_bytes(config, 2, 65536 / 64), shared_bytes_max)
        << "and is refused where they do not fit";
    EXPECT_LE(decode_bytes(config, 1, 65536 / 64), shared_bytes_max);
  }
}

}  // namespace
}  // namespace adaptive::kernels::mixed_bit_matmul
