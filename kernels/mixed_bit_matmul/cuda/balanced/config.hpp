#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/mixed_bit_matmul/cuda/config.hpp"

// The balanced variants: their tiles, shared memory, and the division of the work. Needs no CUDA.

namespace adaptive::kernels::mixed_bit_matmul {

/// For tens to hundreds of tokens: tiles as in WgmmaConfig, whose groups of 64 columns the blocks of threads
/// that run at the same time share evenly.
struct BalancedConfig {
  int rows;    ///< rows of W, 64 for each warp group
  int tokens;  ///< 64, 128 or 256

  ADAPTIVE_HOST_DEVICE constexpr int groups() const { return rows / 64; }
  ADAPTIVE_HOST_DEVICE constexpr int warps() const { return rows / rows_of_block; }
  /// Where registers are short, the warps that copy give some to those that multiply.
  ADAPTIVE_HOST_DEVICE constexpr bool donates() const { return groups() > 2 || tokens > 128; }
  ADAPTIVE_HOST_DEVICE constexpr int registers_left() const { return groups() > 2 ? 32 : 40; }
  ADAPTIVE_HOST_DEVICE constexpr int registers_taken() const { return groups() > 2 ? 112 : 232; }
  ADAPTIVE_HOST_DEVICE constexpr int threads() const { return 128 * groups() + (donates() ? 128 : 32); }
};

constexpr std::array<BalancedConfig, 3> balanced_configs = {{
    {128, 256},
    {128, 128},
    {256, 64},
}};

constexpr int balanced_box_tokens = 32;  ///< tokens that a warp group stores together
constexpr int balanced_word_stages = 2;

ADAPTIVE_HOST_DEVICE constexpr int balanced_x_bytes(const BalancedConfig& config) {
  return config.tokens * 128;  // bytes of a group of 64 columns
}
ADAPTIVE_HOST_DEVICE constexpr int balanced_words_bytes(const BalancedConfig& config, int bits_max) {
  return config.warps() * (chunk_word_bytes(bits_max) + chunk_scale_bytes);
}
/// Two buffers for each warp group, for the rounded sums.
ADAPTIVE_HOST_DEVICE constexpr int balanced_staging_bytes(const BalancedConfig& config) {
  return config.groups() * 2 * balanced_box_tokens * 128;
}

/// Stages of activations; there are always two stages of weights.
constexpr Stages balanced_stages(const BalancedConfig& config, int bits_max) {
  constexpr int stages_max = 8;
  constexpr int barriers = 16 * (stages_max + balanced_word_stages);
  const int fixed = balanced_word_stages * balanced_words_bytes(config, bits_max) +
                    balanced_staging_bytes(config) + barriers;
  const int count = std::min((shared_bytes_max - fixed) / balanced_x_bytes(config), stages_max);
  return {count, count * balanced_x_bytes(config) + fixed};
}

/// The division of the groups of all tiles, one tile after the other, among blocks of threads. Block b has
/// those from first(b) up to first(b + 1).
struct BalancedGrid {
  int blocks = 1;
  int units = 0;  ///< groups of all tiles; at least `blocks`

  ADAPTIVE_HOST_DEVICE constexpr int first(int block) const {
    return static_cast<int>(static_cast<std::int64_t>(block) * units / blocks);
  }
  ADAPTIVE_HOST_DEVICE constexpr int owner_of(int unit) const {
    return static_cast<int>(((static_cast<std::int64_t>(unit) + 1) * blocks - 1) / units);
  }
};

/// Chooses the number of blocks, at most `blocks_max`, by the longest share and by the parts that the last
/// block of a tile has to add, each of which takes about as long as `part_groups` groups.
constexpr BalancedGrid balanced_grid(int tiles, int groups, int blocks_max) {
  constexpr double part_groups = 2.5;
  const std::int64_t units = static_cast<std::int64_t>(tiles) * groups;
  BalancedGrid best = {.blocks = static_cast<int>(std::min<std::int64_t>(units, blocks_max)),
                       .units = static_cast<int>(units)};
  const auto cost = [&](int blocks) {
    const double parts = static_cast<double>(blocks) / tiles;
    const double added = tiles % blocks == 0 ? 0 : blocks % tiles == 0 ? parts - 1 : parts + 0.5;
    return static_cast<double>((units + blocks - 1) / blocks) + part_groups * added;
  };
  for (int parts = 1; parts <= groups && static_cast<std::int64_t>(parts) * tiles <= best.blocks; ++parts)
    if (cost(parts * tiles) < cost(best.blocks)) best.blocks = parts * tiles;
  return best;
}

inline std::string name_of(const BalancedConfig& config) {
  return "balanced_r" + std::to_string(config.rows) + "_t" + std::to_string(config.tokens);
}

/// The number of tiles decides how the sums are divided.
inline std::string class_of(const BalancedConfig& config) {
  return name_of(config);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
