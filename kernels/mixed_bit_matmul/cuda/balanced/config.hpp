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
  int tokens;  ///< 16, 32, 64, 128 or 256

  ADAPTIVE_HOST_DEVICE constexpr int groups() const { return rows / 64; }
  ADAPTIVE_HOST_DEVICE constexpr int warps() const { return rows / rows_of_block; }
  /// Where registers are short, the warps that copy give some to those that multiply.
  ADAPTIVE_HOST_DEVICE constexpr bool donates() const { return groups() > 2 || tokens > 128; }
  ADAPTIVE_HOST_DEVICE constexpr int registers_left() const { return groups() > 3 ? 32 : 40; }
  ADAPTIVE_HOST_DEVICE constexpr int registers_taken() const {
    return groups() > 3 ? 112 : groups() > 2 ? 152 : 232;
  }
  ADAPTIVE_HOST_DEVICE constexpr int threads() const { return 128 * (groups() + 1); }
};

constexpr std::array<BalancedConfig, 6> balanced_configs = {{
    {256, 16},
    {256, 32},
    {256, 64},
    {128, 128},
    {192, 128},
    {128, 256},
}};

/// Warps that copy weights; one more copies activations.
constexpr int balanced_word_warps = 3;

/// Tokens whose activations are copied together.
ADAPTIVE_HOST_DEVICE constexpr int balanced_box_tokens(const BalancedConfig& config) {
  return config.tokens < wgmma_box_tokens ? config.tokens : wgmma_box_tokens;
}
/// Tokens that a warp group stores together.
ADAPTIVE_HOST_DEVICE constexpr int balanced_stored_tokens(const BalancedConfig& config) {
  return config.tokens < 32 ? config.tokens : 32;
}

ADAPTIVE_HOST_DEVICE constexpr int balanced_x_bytes(const BalancedConfig& config) {
  return config.tokens * 128;  // bytes of a group of 64 columns
}
ADAPTIVE_HOST_DEVICE constexpr int balanced_words_bytes(const BalancedConfig& config, int bits_max) {
  return config.warps() * (chunk_word_bytes(bits_max) + chunk_scale_bytes);
}
/// Two buffers for each warp group, for the rounded sums.
ADAPTIVE_HOST_DEVICE constexpr int balanced_staging_bytes(const BalancedConfig& config) {
  return config.groups() * 2 * balanced_stored_tokens(config) * 128;
}

/// Stages of weights, each a chunk, and of activations, each a group.
struct BalancedStages {
  int words = 0, x = 0;
  int bytes = 0;  ///< dynamic shared memory of a block of threads
};

/// Chooses as many stages of weights, 2 to 4, as leave room for four stages of activations.
constexpr BalancedStages balanced_stages(const BalancedConfig& config, int bits_max) {
  constexpr int words_max = 4, x_max = 8, x_wanted = 4;
  constexpr int barriers = 16 * (x_max + words_max);
  for (int words = words_max;; --words) {
    const int fixed =
        words * balanced_words_bytes(config, bits_max) + balanced_staging_bytes(config) + barriers;
    const int x = std::min((shared_bytes_max - fixed) / balanced_x_bytes(config), x_max);
    if (x >= x_wanted || words == 2) return {words, x, x * balanced_x_bytes(config) + fixed};
  }
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
