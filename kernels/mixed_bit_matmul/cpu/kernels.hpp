#pragma once

#include <cstdint>

#include "kernels/mixed_bit_matmul/operands.hpp"

// The entry points of the files in this folder. Each computes one share of the rows, for all tokens.

namespace adaptive::kernels::mixed_bit_matmul {

/// Rows and columns of a panel of dequantised weights: 128 * 256 floats stay in the second-level cache.
inline constexpr std::int64_t panel_rows = 128;
inline constexpr std::int64_t panel_columns = 256;
inline constexpr std::int64_t panel_groups = panel_columns / group_size;

/// Number of tokens up to which the table kernels are offered; it also determines the size of their scratch
/// memory.
inline constexpr std::int64_t table_tokens_max = 4;

/// Data that prepare() computes from the activations for one launch, and scratch memory.
struct Scratch {
  /// [ceil(tokens / tile)][groups * 64][tile]: tokens interleaved, so that a kernel's loads are contiguous.
  const float* x_tiles;
  /// [ceil(tokens / tile)][groups][tile]: sums over each group, by which the offsets are multiplied.
  const float* x_sums;
  /// [tokens][groups][32][16]: entry i for columns c, c + 1 is (i & 3) * x[c] + (i >> 2) * x[c + 1].
  const float* pair_tables;
  /// [tokens][groups][16][16]: entry i for columns c .. c + 3 is 4 * the sum of those whose bit is set in i.
  const float* quad_tables;
  /// [2][panel_rows * panel_columns]: one panel per thread.
  float* panels;
};

/// Share `index` of `count` of the rows: items [n * index / count, n * (index + 1) / count) of any list of n
/// items.
struct Share {
  std::int64_t index, count;
  int thread;  ///< 0 or 1: which panel to use
};

using Kernel = void (*)(const Operands&, const Scratch&, Share) noexcept;

void tile1_portable(const Operands&, const Scratch&, Share) noexcept;
void panel_portable(const Operands&, const Scratch&, Share) noexcept;
void panel_eigen(const Operands&, const Scratch&, Share) noexcept;

void tile1_avx2(const Operands&, const Scratch&, Share) noexcept;
void tile4_avx2(const Operands&, const Scratch&, Share) noexcept;
void panel_avx2(const Operands&, const Scratch&, Share) noexcept;

void tile1_avx512(const Operands&, const Scratch&, Share) noexcept;
void tile4_avx512(const Operands&, const Scratch&, Share) noexcept;
void tile8_avx512(const Operands&, const Scratch&, Share) noexcept;
void tile16_avx512(const Operands&, const Scratch&, Share) noexcept;
void tables_avx512(const Operands&, const Scratch&, Share) noexcept;
void panel_avx512(const Operands&, const Scratch&, Share) noexcept;

/// Fills Scratch::pair_tables and quad_tables; a null pointer is skipped.
void make_tables_avx512(const Operands&, float* pair_tables, float* quad_tables) noexcept;

/// Dequantises one block for `groups` groups from `first_group` on: panel[column * stride + row].
using Dequantise = void (*)(const Operands&, std::int64_t block, std::int64_t first_group,
                            std::int64_t groups, float* panel, std::int64_t stride) noexcept;
void dequantise_portable(const Operands&, std::int64_t, std::int64_t, std::int64_t, float*,
                         std::int64_t) noexcept;
void dequantise_avx2(const Operands&, std::int64_t, std::int64_t, std::int64_t, float*,
                     std::int64_t) noexcept;
void dequantise_avx512(const Operands&, std::int64_t, std::int64_t, std::int64_t, float*,
                       std::int64_t) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
