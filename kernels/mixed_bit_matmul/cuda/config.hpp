#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/host_device.hpp"

// The variants of the library's own kernels and their resource requirements. Needs no CUDA.

namespace adaptive::kernels::mixed_bit_matmul {

constexpr int shared_bytes_max = 227 * 1024;  ///< maximum of a block, compute capability 9.0
constexpr int chunk_groups = 4;               ///< groups of 64 columns that are copied together
constexpr int chunk_columns = chunk_groups * 64;
constexpr int rows_of_block = 16;

/// Bytes of the words of a block of 16 rows and a chunk, and of its scales and offsets.
ADAPTIVE_HOST_DEVICE constexpr int chunk_word_bytes(int bits) {
  return bits * 512;
}
constexpr int chunk_scale_bytes = rows_of_block * chunk_groups * 4;

/// The last chunk may be padded.
ADAPTIVE_HOST_DEVICE constexpr int chunks_of(int groups) {
  return (groups + chunk_groups - 1) / chunk_groups;
}

/// Index of the scale and offset of a row and group among those of their block, in pairs.
ADAPTIVE_HOST_DEVICE constexpr int scale_at(int row, int group) {
  return ((group / chunk_groups * 8 + row % 8) * chunk_groups + group % chunk_groups) * 2 + row / 8;
}

/// Division of shared memory, computed when the widths of a problem are known.
struct Stages {
  int count = 0;  ///< 0: the stages do not fit
  int bytes = 0;  ///< dynamic shared memory of a block of threads
};

/// For one or two tokens. A block of threads computes some pairs of blocks of rows of W. Each pair has one
/// warp for each part of k.
struct DecodeConfig {
  int parts;  ///< number of parts of k
  int pairs;  ///< pairs of blocks of rows; both blocks of a pair have the same width

  ADAPTIVE_HOST_DEVICE constexpr int warps() const { return parts * pairs; }
  /// Number of blocks of threads that a multiprocessor should run at the same time, as far as registers
  /// allow.
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
/// Activations of one token and chunk, with 16 bytes of padding against bank conflicts as in mma_token_bytes.
constexpr int decode_token_bytes = chunk_columns * 2 + 16;

/// Shared memory for a row of zeros, a barrier and the activations, which the sums reuse later. A
/// configuration that needs more than shared_bytes_max does not run.
constexpr std::int64_t decode_bytes(const DecodeConfig& config, int tokens, int groups) {
  const int rows = chunks_of(groups) * std::min(tokens, decode_tokens) + 1;
  const int sums = config.warps() * decode_tokens * (decode_rows + 1) * 4;
  return std::max<std::int64_t>(std::int64_t{rows} * decode_token_bytes + 16, sums);
}

/// For few tokens. A block of threads computes some blocks of 16 rows of W with a tile of tokens. Each block
/// of rows has one warp for each part of k.
struct MmaConfig {
  int tokens;  ///< tokens of a tile, a multiple of 8
  int parts;   ///< number of parts of k
  int blocks;  ///< number of blocks of 16 rows

  ADAPTIVE_HOST_DEVICE constexpr int warps() const { return parts * blocks; }
  /// Number of blocks of threads that a multiprocessor should run at the same time, as far as registers and
  /// shared memory allow.
  ADAPTIVE_HOST_DEVICE constexpr int resident() const { return warps() < 16 && tokens < 32 ? 2 : 1; }
};

constexpr std::array<MmaConfig, 6> mma_configs = {{
    {8, 8, 2},
    {8, 4, 2},
    {8, 4, 4},
    {16, 8, 2},
    {16, 4, 2},
    {16, 4, 4},
}};

/// The columns of a chunk for one token, plus 16 bytes, so that the same columns of eight tokens are in
/// different banks.
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
  const int stage = mma_stage_bytes(config, tokens, bits_max) + 16 * config.parts;  // two barriers per part
  const int wanted = shared_bytes_max / config.resident() - 1024 * (config.resident() - 1);
  int count = std::min(wanted / stage, stages_max);
  if (count < 2) count = shared_bytes_max / stage >= 2 ? 2 : 0;
  return {count, std::max(count * stage, mma_sum_bytes(config))};
}

/// For many tokens: weights are unpacked in registers and multiplied by whole warp groups.
struct WgmmaConfig {
  int rows;    ///< rows of W, 64 for each warp group
  int tokens;  ///< 64, 128 or 256

  ADAPTIVE_HOST_DEVICE constexpr int groups() const { return rows / 64; }
  /// If the sums fill the register file, the warps that copy give registers to those that multiply.
  ADAPTIVE_HOST_DEVICE constexpr bool donates() const { return groups() * tokens >= 512; }
  ADAPTIVE_HOST_DEVICE constexpr int threads() const { return 128 * groups() + (donates() ? 128 : 32); }
};

constexpr std::array<WgmmaConfig, 4> wgmma_configs = {{
    {64, 64},
    {64, 128},
    {128, 128},
    {128, 256},
}};

constexpr int wgmma_box_tokens = 64;
ADAPTIVE_HOST_DEVICE constexpr int wgmma_x_bytes(const WgmmaConfig& config) {
  return config.tokens * 128;  // bytes of a group of 64 columns
}
constexpr int wgmma_word_stages = 2;
ADAPTIVE_HOST_DEVICE constexpr int wgmma_words_bytes(const WgmmaConfig& config, int bits_max) {
  return config.rows / rows_of_block * (chunk_word_bytes(bits_max) + chunk_scale_bytes);
}

/// Stages of activations; there are always two stages of weights.
constexpr Stages wgmma_stages(const WgmmaConfig& config, int bits_max) {
  constexpr int stages_max = 8;
  constexpr int barriers = 16 * (stages_max + wgmma_word_stages);
  const int words = wgmma_word_stages * wgmma_words_bytes(config, bits_max);
  const int count = std::min((shared_bytes_max - words - barriers) / wgmma_x_bytes(config), stages_max);
  return {count, count * wgmma_x_bytes(config) + words + barriers};
}

/// For few to some hundred tokens: blocks of threads that all run at the same time share the chunks of all
/// tiles. A tile of many rows reads the activations less often than the weights, and its warp groups unpack
/// and multiply in turn.
struct SplitTile {
  int rows;      ///< rows of W, 64 for each warp group
  int tokens;    ///< 16, 32, 64 or 128
  bool cluster;  ///< whether a cluster has a tile, each of its blocks a part of k; or all blocks all chunks

  ADAPTIVE_HOST_DEVICE constexpr int warps() const { return rows / rows_of_block; }
  ADAPTIVE_HOST_DEVICE constexpr int threads() const { return 32 * warps(); }
  /// Number of blocks of threads that a multiprocessor runs at the same time.
  ADAPTIVE_HOST_DEVICE constexpr int resident() const { return rows <= 128 ? 2 : 1; }
  /// Groups of 64 columns of activations that are copied together.
  ADAPTIVE_HOST_DEVICE constexpr int x_groups() const { return tokens > 64 ? 2 : 4; }
};

constexpr std::array<SplitTile, 7> split_tiles = {{{256, 16, false},
                                                   {256, 32, false},
                                                   {256, 64, false},
                                                   {128, 16, true},
                                                   {256, 32, true},
                                                   {128, 64, true},
                                                   {256, 128, true}}};

struct SplitConfig {
  int tile;   ///< index in split_tiles
  int parts;  ///< blocks of a cluster, or 0
};

constexpr std::array<SplitConfig, 22> split_configs = {
    {{0, 0}, {1, 0}, {2, 0}, {3, 4}, {3, 5}, {3, 8}, {4, 4}, {4, 5}, {4, 6}, {4, 8}, {5, 2},
     {5, 4}, {5, 5}, {5, 6}, {5, 8}, {6, 1}, {6, 2}, {6, 3}, {6, 4}, {6, 5}, {6, 6}, {6, 8}}};

ADAPTIVE_HOST_DEVICE constexpr int split_x_bytes(const SplitTile& tile) {
  return tile.x_groups() * tile.tokens * 128;
}
ADAPTIVE_HOST_DEVICE constexpr int split_words_bytes(int bits_max) {
  return chunk_word_bytes(bits_max) + chunk_scale_bytes;  // bytes of a chunk of one block of rows
}
ADAPTIVE_HOST_DEVICE constexpr int split_box_tokens(const SplitTile& tile) {
  return tile.tokens < wgmma_box_tokens ? tile.tokens : wgmma_box_tokens;
}

/// Stages of weights, each a chunk, and of activations; 0 if they do not fit.
struct SplitStages {
  int words = 0, x = 0;
  int bytes = 0;  ///< dynamic shared memory of a block of threads
};

constexpr SplitStages split_stages(const SplitTile& tile, int bits_max, int parts) {
  constexpr int words_max = 4, x_max = 4;
  const int all = shared_bytes_max / tile.resident() - 1024 * (tile.resident() - 1) - 16;  // a flag per group
  // Each stage of weights has a barrier for each warp; each stage of activations has two.
  const int words_stage = tile.warps() * (split_words_bytes(bits_max) + 8);
  const int x_stage = split_x_bytes(tile) + 16;
  int words = std::min((all - 3 * x_stage) / words_stage, words_max);
  if (words < 2) words = (all - 2 * x_stage) / words_stage >= 2 ? 2 : 0;
  if (words == 0) return {};
  const int x = std::min((all - words * words_stage) / x_stage, x_max);
  const int sums = parts > 1 ? tile.rows * tile.tokens * 4 : 0;  // reuse the stages
  return {words, x, std::max(words * words_stage + x * x_stage + 16, sums)};
}

constexpr int split_parts_max = 8;

inline std::string name_of(const DecodeConfig& config) {
  return "decode_k" + std::to_string(config.parts) + "_p" + std::to_string(config.pairs);
}

inline std::string name_of(const MmaConfig& config) {
  return "mma_t" + std::to_string(config.tokens) + "_k" + std::to_string(config.parts) + "_b" +
         std::to_string(config.blocks);
}

inline std::string name_of(const WgmmaConfig& config) {
  return "wgmma_r" + std::to_string(config.rows) + "_t" + std::to_string(config.tokens);
}

inline std::string name_of(const SplitConfig& config) {
  const SplitTile& tile = split_tiles[static_cast<std::size_t>(config.tile)];
  return "split_r" + std::to_string(tile.rows) + "_t" + std::to_string(tile.tokens) +
         (config.parts > 0 ? "_k" + std::to_string(config.parts) : "");
}

/// Variants of one class give the same bits: a sum is divided into a number of parts, and this number alone
/// determines which chunks belong to each part.
inline std::string class_of(const DecodeConfig& config) {
  return "decode_k" + std::to_string(config.parts);
}

inline std::string class_of(const MmaConfig& config) {
  return "mma_k" + std::to_string(config.parts);
}

inline std::string class_of(const SplitConfig& config) {
  // If blocks share all chunks, the number of tiles decides how they are divided.
  return config.parts > 0 ? "split_k" + std::to_string(config.parts) : name_of(config);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
