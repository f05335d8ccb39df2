#pragma once

#include <cstdint>

// Computes y[tokens, out_features] = x[tokens, in_features] * W[out_features, in_features]^T.
//
// x and y are float32. W is quantised: 64 consecutive columns of a row form a group with a float scale and a
// float offset. A weight is scale * level + offset, where the level is an integer of 2, 3, 4 or 8 bits. Each
// block of 16 rows has one width; if the set has several widths, the blocks take them in turn.
//
// Layout, with groups = ceil(in_features / 64) and blocks = ceil(out_features / 16):
//   x        [tokens][groups * 64]; columns past in_features are zero, so that kernels need no special case
//   y        [tokens][out_features]
//   scales   [blocks][groups][2][16]: 16 scales, then 16 offsets
//   words    of a block [groups][2 * bits][16]: lane r of a word belongs to row r, low bits hold low columns.
//            2, 4 and 8 bits: word v holds the levels of columns [v * 32 / bits, (v + 1) * 32 / bits).
//            3 bits: words 0-3 hold the low two bits as for width 2; words 4-5 hold the high bits, column c
//            in bit c % 32 of word 4 + c / 32.
// Rows past out_features exist in scales and words (with finite values) and are never stored to y.

namespace adaptive::kernels::mixed_bit_matmul {

inline constexpr std::int64_t group_size = 64;
inline constexpr std::int64_t block_rows = 16;

/// The blocks of one width, so that a kernel can work on several of them at once.
struct WidthList {
  int bits;
  const std::int64_t* blocks;
  std::int64_t count;
};

/// The memory that every backend of this family reads and writes. It has only pointers, because files
/// compiled for wider instruction sets must not instantiate shared inline functions.
struct Operands {
  std::int64_t tokens, out_features, groups, block_count;
  const float* x;
  float* y;
  const float* scales;
  const std::uint32_t* const* words;  ///< [blocks]
  const int* block_bits;              ///< [blocks]
  WidthList lists[4];
  int list_count;
};

}  // namespace adaptive::kernels::mixed_bit_matmul
