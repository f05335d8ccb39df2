#pragma once

#include <cstdint>

// The order of a block's words for one group of 64 columns: of every lane in turn, 32 levels, namely of its
// two rows (lane / 4 and 8 more) and its 16 columns (from lane % 4 * 16 on), as four steps of an mma want
// them. A step has 4 columns c of each row; its four operands are pairs of levels: row 0 columns c, c + 1;
// row 1 the same; row 0 columns c + 2, c + 3; row 1 the same. Pair p = 4 * step + operand.
//
// A pair's levels lie 16 bits apart in a word, so that a mask takes both:
//   2 bits: pair p in word p / 8 at bits 2 * (p % 8);  4 bits: in word p / 4 at 4 * (p % 4);
//   8 bits: in word p / 2 at 8 * (p % 2);
//   3 bits: the low two as for 2 bits in words 0 and 1, the third bit in word 2 at bit p.
// Word v of lane l is at [v][l].

namespace adaptive::kernels::mixed_bit_matmul {

constexpr int pairs = 16;

struct Place {
  int row, column;  // within the block and the group
};

/// Of the level that is the low (0) or high (1) half of a pair.
__device__ constexpr Place place_of(int lane, int pair, int half) {
  const int step = pair / 4;
  const int operand = pair % 4;
  return {lane / 4 + operand % 2 * 8, lane % 4 * 16 + step * 4 + operand / 2 * 2 + half};
}

/// Both levels of a pair, 16 bits apart; `words` are those of the lane.
template <int bits>
__device__ std::uint32_t levels_of(const std::uint32_t* words, int pair) {
  if constexpr (bits == 3) {
    const std::uint32_t low = words[pair / 8] >> (2 * (pair % 8)) & 0x00030003u;
    const std::uint32_t high = words[2] >> pair & 0x00010001u;
    return low | high << 2;
  } else {
    constexpr int per_word = 16 / bits;
    constexpr std::uint32_t mask = ((1u << bits) - 1) * 0x00010001u;
    return words[pair / per_word] >> (bits * (pair % per_word)) & mask;
  }
}

}  // namespace adaptive::kernels::mixed_bit_matmul
