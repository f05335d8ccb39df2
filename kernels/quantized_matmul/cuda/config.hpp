#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/host_device.hpp"

// The variants of the library's own kernels and their resource requirements. Needs no CUDA.

namespace adaptive::kernels::quantized_matmul {

/// For few tokens: a block computes some rows of W for all tokens, and its warps share the columns.
struct FewConfig {
  int rows;   ///< rows of W, 16 or 32
  int warps;  ///< a warp has every `warps`-th chunk of 128 columns

  /// Number of blocks that a multiprocessor should run at the same time, as far as registers allow.
  ADAPTIVE_HOST_DEVICE constexpr int resident() const { return 16 / warps; }
};

constexpr std::array<FewConfig, 4> few_configs = {{
    {16, 4},
    {16, 8},
    {32, 8},
    {32, 16},
}};

constexpr int few_tokens_max(const FewConfig& config) {
  return config.rows > 16 ? 8 : 16;  // two tiles of tokens and two of rows would need too many registers
}

/// For many tokens: wgmma on tiles that the copy engine loads, by resident blocks.
struct WgmmaConfig {
  int tokens;   ///< height of a tile
  int columns;  ///< width of a tile: outputs
  int stages;
  int cluster;  ///< blocks of neighbouring tokens, each of which loads its share of their common weights
  int band;     ///< rows of tiles that are taken through all columns together
  /// Two groups of four warps compute tiles in turn, so that one stores its sums while the other multiplies;
  /// not with scales by block. Otherwise each group computes 64 tokens of every tile.
  bool turns;

  ADAPTIVE_HOST_DEVICE constexpr int groups() const { return turns ? 2 : tokens / 64; }
  ADAPTIVE_HOST_DEVICE constexpr int threads() const { return 128 * groups() + 128; }
};

/// The band makes the tiles that run together about square.
constexpr std::array<WgmmaConfig, 5> wgmma_configs = {{
    {64, 128, 8, 1, 16, false},
    {128, 128, 6, 1, 16, false},
    {128, 256, 4, 1, 16, false},
    {128, 128, 6, 1, 16, true},
    {128, 128, 6, 2, 8, true},
}};

constexpr int wgmma_line = 128;  ///< elements, and bytes, of a row of a stage
ADAPTIVE_HOST_DEVICE constexpr int wgmma_stage_bytes(const WgmmaConfig& config) {
  return (config.tokens + config.columns) * wgmma_line;
}
/// For each warp, a buffer of 16 tokens by 64 outputs in bfloat16, and the scales of a tile's outputs.
ADAPTIVE_HOST_DEVICE constexpr int wgmma_staging_bytes(const WgmmaConfig& config) {
  return 16 * 128 + 4 * config.columns;
}
ADAPTIVE_HOST_DEVICE constexpr int wgmma_shared_bytes(const WgmmaConfig& config) {
  constexpr int turn_barriers = 16;
  return config.stages * (wgmma_stage_bytes(config) + 16) +
         4 * config.groups() * wgmma_staging_bytes(config) + turn_barriers;
}

/// For a number of tokens in between, where the time is still that of reading W: wgmma on one tile of 64
/// tokens for each cluster, whose blocks share the columns.
struct SplitConfig {
  int columns;  ///< width of a tile: outputs
  int stages;
  int split;  ///< blocks of a cluster
};

constexpr std::array<SplitConfig, 3> split_configs = {{
    {64, 6, 2},
    {128, 4, 2},
    {128, 4, 4},
}};

constexpr int split_tokens = 64;
constexpr int split_tokens_max = 4 * split_tokens;  ///< for more tokens, tiles would read W too often
constexpr int split_threads = 160;
ADAPTIVE_HOST_DEVICE constexpr int split_stage_bytes(const SplitConfig& config) {
  return (split_tokens + config.columns) * wgmma_line;
}
/// Numbers from one token of a tile's sums to the next: four more than outputs, so that the tokens of a warp
/// are in different banks.
ADAPTIVE_HOST_DEVICE constexpr int split_sum_stride(int columns) {
  return columns + 4;
}
/// The sums take the place of the stages, whose barriers follow both.
ADAPTIVE_HOST_DEVICE constexpr int split_sum_bytes(int tokens, int columns) {
  return tokens * split_sum_stride(columns) * 4;
}
ADAPTIVE_HOST_DEVICE constexpr int split_barriers(const SplitConfig& config) {
  const int stages = config.stages * split_stage_bytes(config);
  const int sums = split_sum_bytes(split_tokens, config.columns);
  return stages > sums ? stages : sums;
}
ADAPTIVE_HOST_DEVICE constexpr int split_shared_bytes(const SplitConfig& config) {
  return split_barriers(config) + 16 * config.stages;
}

/// For up to some 64 tokens, where the time is that of reading W: wgmma with 64 rows of W as the first
/// operand, so that few tokens cost little, and whole stages in flight. The blocks of a cluster share the
/// columns.
struct StreamConfig {
  int tokens;  ///< of a tile: 8, 16, 32 or 64
  int stages;
  int split;  ///< blocks of a cluster
};

constexpr std::array<StreamConfig, 7> stream_configs = {{
    {8, 7, 2},
    {8, 7, 4},
    {16, 7, 2},
    {16, 7, 4},
    {32, 6, 2},
    {32, 6, 4},
    {64, 6, 2},
}};

constexpr int stream_rows = 64;
constexpr int stream_tokens_max = 64;  ///< of a tile
constexpr int stream_tiles_max = 4;    ///< tiles of tokens; with more, W would be read too often
/// `x_bytes`: bytes of an activation.
ADAPTIVE_HOST_DEVICE constexpr int stream_stage_bytes(const StreamConfig& config, int x_bytes = 1) {
  return (stream_rows + config.tokens * x_bytes) * wgmma_line;
}
ADAPTIVE_HOST_DEVICE constexpr int stream_barriers(const StreamConfig& config, int x_bytes = 1) {
  const int stages = config.stages * stream_stage_bytes(config, x_bytes);
  const int sums = split_sum_bytes(config.tokens, stream_rows);
  return stages > sums ? stages : sums;
}
/// Scales by block of a stage: of each token, and of the weights.
ADAPTIVE_HOST_DEVICE constexpr int stream_scale_bytes(const StreamConfig& config) {
  return 4 * config.tokens + 16;
}
ADAPTIVE_HOST_DEVICE constexpr int stream_shared_bytes(const StreamConfig& config, int x_bytes = 1,
                                                       bool by_block = false) {
  return stream_barriers(config, x_bytes) +
         config.stages * (16 + (by_block ? stream_scale_bytes(config) : 0));
}

/// For int8_w8a16 with more than a few tokens: as SplitConfig, with weights that become bfloat16 in shared
/// memory.
struct ConvertConfig {
  int tokens;   ///< height of a tile, 64 for each warp group
  int columns;  ///< width of a tile: outputs
  int stages;
  int split;  ///< blocks of a cluster, which share the columns of W; 1: there is no cluster

  ADAPTIVE_HOST_DEVICE constexpr int groups() const { return tokens / 64; }
  ADAPTIVE_HOST_DEVICE constexpr int threads() const { return 128 * groups() + 32; }
};

constexpr std::array<ConvertConfig, 2> convert_configs = {{
    {64, 64, 3, 2},
    {128, 128, 3, 1},
}};

constexpr int convert_line = 64;  ///< bfloat16 of a row of 128 bytes; a stage has two slabs of such rows
ADAPTIVE_HOST_DEVICE constexpr int convert_stage_bytes(const ConvertConfig& config) {
  return (2 * config.tokens + config.columns) * wgmma_line;
}
/// One of the two buffers of converted weights.
ADAPTIVE_HOST_DEVICE constexpr int converted_bytes(const ConvertConfig& config) {
  return 2 * config.columns * wgmma_line;
}
ADAPTIVE_HOST_DEVICE constexpr int convert_barriers(const ConvertConfig& config) {
  const int stages = config.stages * convert_stage_bytes(config) + 2 * converted_bytes(config);
  const int sums = split_sum_bytes(config.tokens, config.columns);
  return stages > sums ? stages : sums;
}
ADAPTIVE_HOST_DEVICE constexpr int convert_shared_bytes(const ConvertConfig& config) {
  return convert_barriers(config) + 16 * config.stages;
}

inline std::string name_of(const FewConfig& config) {
  return "few_r" + std::to_string(config.rows) + "_k" + std::to_string(config.warps);
}

inline std::string name_of(const WgmmaConfig& config) {
  return "wgmma_t" + std::to_string(config.tokens) + "_c" + std::to_string(config.columns) + "_s" +
         std::to_string(config.stages) + (config.turns ? "_turns" : "") +
         (config.cluster > 1 ? "_m" + std::to_string(config.cluster) : "");
}

inline std::string name_of(const SplitConfig& config) {
  return "split_t64_c" + std::to_string(config.columns) + "_s" + std::to_string(config.stages) + "_x" +
         std::to_string(config.split);
}

inline std::string name_of(const StreamConfig& config) {
  return "stream_t" + std::to_string(config.tokens) + "_s" + std::to_string(config.stages) + "_x" +
         std::to_string(config.split);
}

inline std::string name_of(const ConvertConfig& config) {
  return "convert_t" + std::to_string(config.tokens) + "_c" + std::to_string(config.columns) + "_s" +
         std::to_string(config.stages) + (config.split > 1 ? "_x" + std::to_string(config.split) : "");
}

}  // namespace adaptive::kernels::quantized_matmul
