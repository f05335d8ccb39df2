#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/cuda/loaded_code.hpp"

// The variants of the kernels in this folder and their resource requirements, known before a launch. Needs no
// CUDA.
//
// A row is a query: a head of a new token. The rows of a sequence and a key/value head are numbered token by
// token, so that the heads of a group follow each other and share the keys and values that a kernel loads.

namespace adaptive::kernels::ragged_paged_attention {

constexpr int shared_bytes_max = 227 * 1024;  ///< maximum of a block, compute capability 9.0

constexpr int larger(int a, int b) {
  return a > b ? a : b;
}

/// Parts of a tile, at most: the block that joins them reads all of them.
constexpr int parts_max = 64;

/// For few rows: a block computes 16 rows. Each of its warps has a ring of stages of its own and takes every
/// `warps`-th step of `keys` positions; the warps never wait for each other before the end.
struct RowsConfig {
  int warps;
  int keys;    ///< positions of a step, a multiple of 16
  int stages;  ///< steps in the ring of a warp
  int part;    ///< positions of a part, each computed by a block of its own; 0: a block computes all
};

constexpr int rows_height = 16;

constexpr std::array<RowsConfig, 9> rows_configs = {{
    {4, 16, 3, 0},
    {4, 16, 3, 128},
    {4, 16, 3, 512},
    {4, 16, 2, 1024},
    {4, 16, 3, 2048},
    {4, 16, 3, 4096},
    {8, 16, 3, 0},
    {3, 16, 2, 0},
    {3, 16, 2, 4096},
}};

/// Three warps are for the largest heads only: there, a multiprocessor holds two blocks of three warps, but
/// one block of four.
constexpr bool rows_fits(const RowsConfig& config, int head_size) {
  return config.warps != 3 || head_size == 256;
}

/// Shared memory for the queries of 16 rows, where registers would not suffice for them beside the result:
/// for the largest heads, and where the elements of the cache are widened.
constexpr int query_bytes(int head_size, int element_bytes) {
  return head_size == 256 || (head_size == 128 && element_bytes == 1) ? 16 * head_size * 2 : 0;
}

/// Bytes of a position's key or value.
constexpr int bytes_of_position(int head_size, int element_bytes) {
  return head_size * element_bytes;
}

/// The scores of 32 positions do not fit the registers beside the result of the largest heads.
constexpr int rows_keys(const RowsConfig& config, int head_size) {
  return head_size == 256 ? 16 : config.keys;
}

constexpr int rows_stage_bytes(const RowsConfig& config, int head_size, int element_bytes) {
  return 2 * rows_keys(config, head_size) * bytes_of_position(head_size, element_bytes);
}

/// Heads of 256 have a large stage: two stages then suffice to keep as many bytes in flight.
constexpr int rows_stages(const RowsConfig& config, int head_size, int element_bytes) {
  return bytes_of_position(head_size, element_bytes) > 256 ? 2 : config.stages;
}

/// Floats between the rows of a warp's result in shared memory, with padding against bank conflicts.
constexpr int rows_result_stride(int head_size) {
  return head_size + 4;
}

constexpr int rows_result_bytes(const RowsConfig& config, int head_size) {
  return config.warps * rows_height * (rows_result_stride(head_size) + 2) * 4;
}

/// The result of each warp takes the place of the ring.
constexpr int rows_shared_bytes(const RowsConfig& config, int head_size, int element_bytes) {
  const int ring = config.warps * rows_stages(config, head_size, element_bytes) *
                   rows_stage_bytes(config, head_size, element_bytes);
  return larger(ring, rows_result_bytes(config, head_size)) + query_bytes(head_size, element_bytes);
}

/// Blocks that a multiprocessor should run at the same time, as far as registers and shared memory allow.
constexpr int rows_blocks(const RowsConfig& config, int head_size, int element_bytes) {
  const int by_registers = head_size == 256 ? 2 : head_size == 64 ? 4 : element_bytes == 1 ? 3 : 2;
  const int by_memory = shared_bytes_max / (rows_shared_bytes(config, head_size, element_bytes) + 1024);
  const int blocks =
      by_registers * 4 / config.warps < by_memory ? by_registers * 4 / config.warps : by_memory;
  return larger(blocks, 1);
}

/// For many rows: a warp computes 16 rows, and all warps of a block share the keys and values that it loads.
struct TilesConfig {
  int warps;
  int keys;  ///< positions of a step
  int stages;

  constexpr int rows() const { return 16 * warps; }
};

constexpr std::array<TilesConfig, 1> tiles_configs = {{
    {8, 64, 2},
}};

constexpr int tiles_keys(const TilesConfig& config, int head_size) {
  return head_size == 256 ? config.keys / 2 : config.keys;
}

constexpr int tiles_shared_bytes(const TilesConfig& config, int head_size, int element_bytes) {
  return 2 * config.stages * tiles_keys(config, head_size) * bytes_of_position(head_size, element_bytes) +
         config.warps * query_bytes(head_size, element_bytes);
}

/// For prompts, on compute capability 9.0: groups of four warps compute 64 rows each with wgmma. Four more
/// warps copy keys, values and queries, and another four widen the elements of a cache of float8. Blocks stay
/// resident and take tile after tile from a counter.
struct WgmmaConfig {
  int groups;
  int keys;  ///< positions of a step, a multiple of 16
  int stages;

  constexpr int rows() const { return 64 * groups; }
};

constexpr std::array<WgmmaConfig, 2> wgmma_configs = {{
    {2, 128, 2},
    {3, 128, 2},
}};

constexpr int wgmma_box_rows = 16;  ///< positions that the copy engine copies at once; they are in one page

constexpr int wgmma_tile_bytes = 32;

/// Warps that load queries. For the largest heads and float8, the warps that widen take the place of one of
/// them: another group of warps would leave too few registers for the sums.
constexpr int wgmma_loaders(int head_size, int element_bytes) {
  return head_size == 256 && element_bytes == 1 ? 1 : 2;
}

constexpr int wgmma_threads(const WgmmaConfig& config, int head_size, int element_bytes) {
  const bool has_group_to_widen = element_bytes == 1 && wgmma_loaders(head_size, element_bytes) == 2;
  return 128 * config.groups + 128 + (has_group_to_widen ? 128 : 0);
}

/// Positions in a step. With the largest heads, the scores of 128 positions do not fit the registers beside
/// the result, and 80 positions (48 of float8, beside what is to be widened) fill the shared memory.
constexpr int wgmma_keys(const WgmmaConfig& config, int head_size, int element_bytes) {
  if (head_size < 256) return config.keys;
  return element_bytes == 1 ? 48 : 80;
}

/// Warps that widen a step of float8. Each has the same number of positions, a multiple of 16.
constexpr int wgmma_wideners(int head_size) {
  return head_size == 256 ? 3 : 4;
}

/// Keys and values of float8 before they are widened: this many steps.
constexpr int wgmma_staging_stages = 2;

/// Queries, both rings, what is to be widened, the scales of the queries for float8, the barriers, and the
/// next tile.
constexpr int wgmma_shared_bytes(const WgmmaConfig& config, int head_size, int element_bytes) {
  const int keys = wgmma_keys(config, head_size, element_bytes);
  return 2 * head_size * (config.rows() + 2 * config.stages * keys) +
         (element_bytes == 1 ? wgmma_staging_stages * 2 * keys * head_size + 4 * config.rows() : 0) +
         8 * (4 * config.stages + 2 * config.groups + 4) +
         (element_bytes == 1 ? 2 * 8 * wgmma_staging_stages * wgmma_wideners(head_size) : 0) +
         wgmma_tile_bytes;
}

/// Three groups have the registers for the smallest heads only.
constexpr bool wgmma_fits(const WgmmaConfig& config, int head_size, int element_bytes) {
  return config.groups == 2 || (head_size == 64 && element_bytes == 2);
}

inline std::string name_of(const RowsConfig& config) {
  return "rows_w" + std::to_string(config.warps) + "_k" + std::to_string(config.keys) + "_s" +
         std::to_string(config.stages) + (config.part > 0 ? "_p" + std::to_string(config.part) : "");
}

inline std::string name_of(const TilesConfig& config) {
  return "tiles_q" + std::to_string(config.rows()) + "_k" + std::to_string(config.keys) + "_s" +
         std::to_string(config.stages);
}

inline std::string name_of(const WgmmaConfig& config) {
  return "wgmma_q" + std::to_string(config.rows()) + "_k" + std::to_string(config.keys) + "_s" +
         std::to_string(config.stages);
}

/// Variants of one class give the same bits: the order of additions depends on which warp takes a position
/// and on the parts, not on the stages.
inline std::string class_of(const RowsConfig& config) {
  return "rows_w" + std::to_string(config.warps) + "_k" + std::to_string(config.keys) +
         (config.part > 0 ? "_p" + std::to_string(config.part) : "");
}

/// The steps begin at multiples of `keys`, so the height of a tile does not matter.
inline std::string class_of(const TilesConfig& config) {
  return "tiles_k" + std::to_string(config.keys);
}

/// Likewise.
inline std::string class_of(const WgmmaConfig& config) {
  return "wgmma_k" + std::to_string(config.keys);
}

}  // namespace adaptive::kernels::ragged_paged_attention
