#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

#include "kernels/mixed_bit_matmul/cuda/packing.cuh"

// Converts levels to numbers. If a level is or-ed into the mantissa of a power of two, the result is the
// power plus the level; this takes two instructions for two numbers. The higher the position of the level in
// the mantissa, the smaller the power. Small powers are better, because sums contain them until they are
// subtracted.

namespace adaptive::kernels::mixed_bit_matmul {

/// The position of the lowest bit of a pair's level in the mantissa of bfloat16. In float16, which has three
/// more mantissa bits, it is three bits higher. Several pairs of a word share a shift.
struct Standing {
  int shift;     // shift of the word to the right; may be negative
  int position;  // position in bfloat16's mantissa
  /// The power by which the level is offset.
  ADAPTIVE_HOST_DEVICE constexpr int power() const { return 1 << (7 - position); }
};

ADAPTIVE_HOST_DEVICE constexpr Standing standing_of(int bits, int slot, int row) {
  const int bit = field_of(bits, slot, row).bit;
  const int window = bits == 2 || bits == 3 ? 6 : 4;  // number of bits that one shift brings into place
  const int lift = 7 - window;
  const int first = bit / window * window;
  return {first - lift, lift + bit - first};
}

/// The power is the same for both rows of a slot.
ADAPTIVE_HOST_DEVICE constexpr int power_of(int bits, int slot) {
  return standing_of(bits, slot, 0).power();
}

constexpr int mantissa_bits_more = 3;  // additional mantissa bits of float16

/// 2^exponent in both halves of a word, where 2^exponent is `power`.
template <class T>
ADAPTIVE_HOST_DEVICE constexpr std::uint32_t both(int power) {
  int exponent = 0;
  while (1 << exponent < power) ++exponent;
  const std::uint32_t one = std::is_same_v<T, __half> ? static_cast<std::uint32_t>(15 + exponent) << 10
                                                      : static_cast<std::uint32_t>(127 + exponent) << 7;
  return one * 0x00010001u;
}

template <int shift>
__device__ std::uint32_t shifted(std::uint32_t word) {
  if constexpr (shift >= 0)
    return word >> shift;
  else
    return word << -shift;
}

/// Computes (word & mask) | high in one instruction. The compiler would use two, because an instruction has
/// room for only one constant.
__device__ inline std::uint32_t masked_or(std::uint32_t word, std::uint32_t mask, std::uint32_t high) {
  std::uint32_t result;
  asm("lop3.b32 %0, %1, %2, %3, 0xEA;" : "=r"(result) : "r"(word), "r"(mask), "r"(high));
  return result;
}

/// Converts `width` bits of both halves of a word to power + level, or to `unit` times that.
template <class T, int width, int shift, int position, int unit = 1>
__device__ std::uint32_t raised(std::uint32_t word) {
  constexpr int more = std::is_same_v<T, __half> ? mantissa_bits_more : 0;
  constexpr std::uint32_t mask = (((1u << width) - 1) << (position + more)) * 0x00010001u;
  return masked_or(shifted<shift - more>(word), mask, both<T>(unit << (7 - position)));
}

/// A pair of levels plus power_of(bits, slot). With 8 bits, the low four bits (`high` false) or the high four
/// bits, each as a number of its own.
template <class T, int bits, int slot, int row, bool high = false>
__device__ std::uint32_t raised_levels(const std::uint32_t* words) {
  constexpr Field field = field_of(bits, slot, row);
  constexpr Standing standing = standing_of(bits, slot, row);
  if constexpr (scattered(bits, slot, row)) {
    constexpr int more = std::is_same_v<T, __half> ? mantissa_bits_more : 0;
    constexpr int at = standing.position + more;
    return (shifted<15 - at>(words[0]) & 0x00010001u << at) |
           (shifted<14 - at>(words[1]) & 0x00020002u << at) |
           (shifted<13 - at>(words[2]) & 0x00040004u << at) | both<T>(standing.power());
  } else if constexpr (bits == 8) {
    return raised<T, 4, standing.shift + (high ? 4 : 0), standing.position>(words[field.word]);
  } else {
    return raised<T, bits, standing.shift, standing.position>(words[field.word]);
  }
}

/// a * b + c, rounded once.
template <class T>
__device__ std::uint32_t multiply_add(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  std::uint32_t result;
  if constexpr (std::is_same_v<T, __half>)
    asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  else
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
  return result;
}

/// The exact levels of a pair as numbers.
template <class T, int bits, int slot, int row>
__device__ std::uint32_t numbers_of(const std::uint32_t* words) {
  constexpr std::uint32_t one = both<T>(1);
  constexpr std::uint32_t minus = 0x80008000u;
  constexpr int power = power_of(bits, slot);
  if constexpr (bits == 8) {
    // Computes 16 * (power + high four bits) - 17 * power + (power + low four bits), none of which needs more
    // than 8 bits.
    constexpr Field field = field_of(bits, slot, row);
    constexpr Standing standing = standing_of(bits, slot, row);
    constexpr std::uint32_t sixteenth = std::is_same_v<T, __half> ? 1u << 6 : 1u << 3;  // in the mantissa
    const std::uint32_t high = raised<T, 4, standing.shift + 4, standing.position, 16>(words[field.word]);
    return multiply_add<T>(
        multiply_add<T>(high, one, (both<T>(16 * power) + sixteenth * 0x00010001u) | minus), one,
        raised_levels<T, bits, slot, row>(words));
  } else {
    return multiply_add<T>(raised_levels<T, bits, slot, row>(words), one, both<T>(power) | minus);
  }
}

}  // namespace adaptive::kernels::mixed_bit_matmul
