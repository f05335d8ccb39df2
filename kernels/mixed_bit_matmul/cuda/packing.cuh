#pragma once

#include <cstdint>

#include "kernels/mixed_bit_matmul/cuda/config.hpp"

// The order of a block's words. They are in chunks of four groups of 64 columns. Each chunk has [bits][32
// lanes] pieces of 16 bytes, so that a warp loads one piece per lane with one instruction. The words of a
// lane's pieces, taken in turn, are `bits` words for each group: 32 levels, in the order of four steps of 16
// columns. A lane has two rows, lane / 4 and lane / 4 + 8. Of the columns of a step it has lane % 4 * 2 and
// the next, and the two that are 8 further on, as mma.m16n8k16 and wgmma require of their first operand.
//
// The two levels of adjacent columns form a pair. They are 16 bits apart in a word, so that one mask selects
// both. Slot 2 * step + (0 or 1: which two columns) of row r is at:
//   2 bits: word r, bits 2 * slot;            4 bits: word 2 * r + slot / 4, bits 4 * (slot % 4);
//   8 bits: word 4 * r + slot / 2, bits 8 * (slot % 2);
//   3 bits: slots 0 to 4 in word r at bits 3 * slot; slots 5 and 6 of both rows in word 2 at bits 0 and 3,
//           6 and 9; slot 7 of the first row in word 2 at bit 12, slot 7 of the second row in the highest
//           bits of the three words.
//
// Scales and offsets of a block are [chunks][8][groups of the chunk][2] pairs: lane / 4, then the lane's
// rows.

namespace adaptive::kernels::mixed_bit_matmul {

constexpr int slots = 8;

struct Place {
  int row, column;  // within the block and the group
};

/// Place of the level in the low (0) or high (1) half of a pair.
ADAPTIVE_HOST_DEVICE constexpr Place place_of(int lane, int slot, int row, int half) {
  return {lane / 4 + 8 * row, slot / 2 * 16 + slot % 2 * 8 + lane % 4 * 2 + half};
}

/// Calls f.operator()<bits>() for one of the four widths.
template <class F>
__device__ void with_bits(int bits, const F& f) {
  switch (bits) {
    case 2:
      f.template operator()<2>();
      break;
    case 3:
      f.template operator()<3>();
      break;
    case 4:
      f.template operator()<4>();
      break;
    default:
      f.template operator()<8>();
      break;
  }
}

/// Place of a pair: `bit` of both halves of `word`. With 3 bits, not for the last slot of the second row.
struct Field {
  int word, bit;
};

ADAPTIVE_HOST_DEVICE constexpr Field field_of(int bits, int slot, int row) {
  if (bits == 3) {
    if (slot < 5) return {row, 3 * slot};
    if (slot < 7) return {2, 6 * row + 3 * (slot - 5)};
    return {2, 12};
  }
  const int per_word = 16 / bits;
  return {row * (slots / per_word) + slot / per_word, slot % per_word * bits};
}

/// Whether the bits of a pair are spread over several words.
ADAPTIVE_HOST_DEVICE constexpr bool scattered(int bits, int slot, int row) {
  return bits == 3 && slot == 7 && row == 1;
}

/// Both levels of a pair, 16 bits apart; `words` are the words of the lane and group.
template <int bits>
__device__ std::uint32_t levels_of(const std::uint32_t* words, int slot, int row) {
  if (scattered(bits, slot, row))
    return (words[0] >> 15 & 0x00010001u) | (words[1] >> 14 & 0x00020002u) | (words[2] >> 13 & 0x00040004u);
  const Field field = field_of(bits, slot, row);
  return words[field.word] >> field.bit & ((1u << bits) - 1) * 0x00010001u;
}

/// The reverse: stores levels in words that are zero at that place.
__device__ inline void put_levels(int bits, std::uint32_t* words, int slot, int row, std::uint32_t levels) {
  if (scattered(bits, slot, row)) {
    words[0] |= (levels & 0x00010001u) << 15;
    words[1] |= (levels >> 1 & 0x00010001u) << 15;
    words[2] |= (levels >> 2 & 0x00010001u) << 15;
    return;
  }
  const Field field = field_of(bits, slot, row);
  words[field.word] |= levels << field.bit;
}

/// Index of a word among the `bits` * 4 words of a lane, counted through its pieces.
ADAPTIVE_HOST_DEVICE constexpr int word_at(int lane, int word) {
  return (word / 4 * 32 + lane) * 4 + word % 4;
}

ADAPTIVE_HOST_DEVICE constexpr int words_of_chunk(int bits) {
  return bits * 128;
}

}  // namespace adaptive::kernels::mixed_bit_matmul
