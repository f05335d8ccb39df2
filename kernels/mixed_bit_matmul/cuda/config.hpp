#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/host_device.hpp"

// The variants of our own kernels and what each needs. Needs no CUDA.

namespace adaptive::kernels::mixed_bit_matmul {

constexpr int shared_bytes_max = 227 * 1024;  ///< of a block, compute capability 9.0
constexpr int chunk_groups = 4;               ///< groups of 64 columns that are copied at once
constexpr int chunk_columns = chunk_groups * 64;
constexpr int rows_of_block = 16;

/// Bytes of a block of 16 rows and a chunk: its words, its scales and offsets.
ADAPTIVE_HOST_DEVICE constexpr int chunk_word_bytes(int bits) {
  return bits * 512;
}
constexpr int chunk_scale_bytes = rows_of_block * chunk_groups * 4;

/// The last one may be filled up.
ADAPTIVE_HOST_DEVICE constexpr int chunks_of(int groups) {
  return (groups + chunk_groups - 1) / chunk_groups;
}

/// Where the scale and offset of a row and group are in those of their block, in pairs.
ADAPTIVE_HOST_DEVICE constexpr int scale_at(int row, int group) {
  return ((group / chunk_groups * 8 + row % 8) * chunk_groups + group % chunk_groups) * 2 + row / 8;
}

/// Shared memory is dealt out when the widths of a problem are known.
struct Stages {
  int count = 0;  ///< 0: does not fit
  int bytes = 0;  ///< of the block, all of it dynamic
};

/// For one or two tokens. A block of threads computes some pairs of blocks of rows of W; each pair has as
/// many warps as there are parts of k.
struct DecodeConfig {
  int parts;  ///< of k
  int pairs;  ///< of blocks of rows, of one width each

  ADAPTIVE_HOST_DEVICE constexpr int warps() const { return parts * pairs; }
  /// Of threads on a multiprocessor at once, as registers are meant to allow.
  ADAPTIVE_HOST_DEVICE constexpr int resident() const { return 16 / warps(); }
};

constexpr std::array<DecodeConfig, 4> decode_configs = {{
    {8, 2},
    {8, 1},
    {4, 4},
    {4, 2},
}};

constexpr int decode_tokens = 2;
constexpr int decode_rows = 2 * rows_of_block;
constexpr int decode_token_bytes = chunk_columns * 2 + 16;  ///< of a chunk; 16: banks, as below

/// Shared memory: a row of zeros, a barrier and the activations, then sums. What is above shared_bytes_max
/// does not run.
constexpr std::int64_t decode_bytes(const DecodeConfig& config, int tokens, int groups) {
  const int rows = chunks_of(groups) * std::min(tokens, decode_tokens) + 1;
  const int sums = config.warps() * decode_tokens * (decode_rows + 1) * 4;
  return std::max<std::int64_t>(std::int64_t{rows} * decode_token_bytes + 16, sums);
}

/// For few tokens. A block of threads computes some blocks of 16 rows of W with a tile of tokens; each block
/// of rows has as many warps as there are parts of k.
struct MmaConfig {
  int tokens;  ///< of a tile, a multiple of 8
  int parts;   ///< of k
  int blocks;  ///< of 16 rows

  ADAPTIVE_HOST_DEVICE constexpr int warps() const { return parts * blocks; }
  /// Of threads on a multiprocessor at once, as registers and shared memory are meant to allow.
  ADAPTIVE_HOST_DEVICE constexpr int resident() const { return warps() < 16 && tokens < 32 ? 2 : 1; }
};

constexpr std::array<MmaConfig, 9> mma_configs = {{
    {8, 8, 2},
    {8, 4, 2},
    {8, 4, 4},
    {16, 8, 2},
    {16, 4, 2},
    {16, 4, 4},
    {32, 4, 2},
    {32, 2, 4},
    {64, 2, 4},
}};

/// A token's columns of a chunk, and 16 bytes so that the same columns of eight tokens lie in different
/// banks.
constexpr int mma_token_bytes = chunk_columns * 2 + 16;

ADAPTIVE_HOST_DEVICE constexpr int mma_x_bytes(const MmaConfig& config, int tokens) {
  return (config.tokens < tokens ? config.tokens : tokens) * mma_token_bytes;
}

ADAPTIVE_HOST_DEVICE constexpr int mma_stage_bytes(const MmaConfig& config, int tokens, int bits_max) {
  return config.parts *
         (mma_x_bytes(config, tokens) + config.blocks * (chunk_word_bytes(bits_max) + chunk_scale_bytes));
}

ADAPTIVE_HOST_DEVICE constexpr int mma_sum_bytes(const MmaConfig& config) {
  return config.warps() * config.tokens * (rows_of_block + 1) * 4;
}

constexpr Stages mma_stages(const MmaConfig& config, int tokens, int bits_max) {
  constexpr int stages_max = 8;
  const int stage = mma_stage_bytes(config, tokens, bits_max) + 16 * config.parts;  // and two barriers a part
  const int wanted = shared_bytes_max / config.resident() - 1024 * (config.resident() - 1);
  int count = std::min(wanted / stage, stages_max);
  if (count < 2) count = shared_bytes_max / stage >= 2 ? 2 : 0;
  return {count, std::max(count * stage, mma_sum_bytes(config))};
}

/// For many tokens: weights are unpacked in registers and multiplied by whole warp groups.
struct WgmmaConfig {
  int rows;     ///< of W, 64 a warp group
  int tokens;   ///< 64, 128 or 256
  int cluster;  ///< blocks of neighbouring rows, each of which loads its share of their common tokens

  ADAPTIVE_HOST_DEVICE constexpr int groups() const { return rows / 64; }
  /// Where sums fill the register file, the warps that copy give theirs to those that multiply.
  ADAPTIVE_HOST_DEVICE constexpr bool donates() const { return groups() * tokens >= 512; }
  ADAPTIVE_HOST_DEVICE constexpr int threads() const { return 128 * groups() + (donates() ? 128 : 32); }
};

constexpr std::array<WgmmaConfig, 5> wgmma_configs = {{
    {64, 64, 1},
    {64, 128, 1},
    {128, 128, 1},
    {128, 256, 1},
    {128, 256, 2},
}};

constexpr int wgmma_box_tokens = 64;
ADAPTIVE_HOST_DEVICE constexpr int wgmma_x_bytes(const WgmmaConfig& config) {
  return config.tokens * 128;  // of a group of 64 columns
}
constexpr int wgmma_word_stages = 2;
ADAPTIVE_HOST_DEVICE constexpr int wgmma_words_bytes(const WgmmaConfig& config, int bits_max) {
  return config.rows / rows_of_block * (chunk_word_bytes(bits_max) + chunk_scale_bytes);
}

/// Stages of activations; those of weights are always two.
constexpr Stages wgmma_stages(const WgmmaConfig& config, int bits_max) {
  constexpr int stages_max = 8;
  constexpr int barriers = 16 * (stages_max + wgmma_word_stages);
  const int words = wgmma_word_stages * wgmma_words_bytes(config, bits_max);
  const int count = std::min((shared_bytes_max - words - barriers) / wgmma_x_bytes(config), stages_max);
  return {count, count * wgmma_x_bytes(config) + words + barriers};
}

inline std::string name_of(const DecodeConfig& config) {
  return "decode_k" + std::to_string(config.parts) + "_p" + std::to_string(config.pairs);
}

inline std::string name_of(const MmaConfig& config) {
  return "mma_t" + std::to_string(config.tokens) + "_k" + std::to_string(config.parts) + "_b" +
         std::to_string(config.blocks);
}

inline std::string name_of(const WgmmaConfig& config) {
  return "wgmma_r" + std::to_string(config.rows) + "_t" + std::to_string(config.tokens) +
         (config.cluster > 1 ? "_m" + std::to_string(config.cluster) : "");
}

/// Variants of one class give the same bits: a sum is cut into so many parts, and which chunks each takes
/// depends on their number alone.
inline std::string class_of(const DecodeConfig& config) {
  return "decode_k" + std::to_string(config.parts);
}

inline std::string class_of(const MmaConfig& config) {
  return "mma_k" + std::to_string(config.parts);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
