#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

namespace adaptive::kernels::mixed_bit_matmul {

template <class T>
struct Pair;
template <>
struct Pair<__nv_bfloat16> {
  using Type = __nv_bfloat162;
};
template <>
struct Pair<__half> {
  using Type = __half2;
};

/// Two levels, 16 bits apart, as two numbers of T, exactly. Or-ed under the exponent of a power of two whose
/// last place is one, a level is that power and itself; the power is subtracted.
template <class T, int bits>
__device__ std::uint32_t numbers_of(std::uint32_t levels);

template <std::uint32_t power>
__device__ std::uint32_t subtract_bfloat16(std::uint32_t value) {
  std::uint32_t result;
  constexpr std::uint32_t one = 0x3F803F80u;
  // value * 1 + -power: bfloat16 has no subtraction of its own before Hopper.
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(value), "r"(one), "r"(power | 0x80008000u));
  return result;
}

template <class T, int bits>
__device__ std::uint32_t numbers_of(std::uint32_t levels) {
  std::uint32_t result;
  if constexpr (std::is_same_v<T, __half>) {
    asm("sub.f16x2 %0, %1, %2;" : "=r"(result) : "r"(levels | 0x64006400u), "r"(0x64006400u));
  } else if constexpr (bits <= 4) {
    result = subtract_bfloat16<0x43004300u>(levels | 0x43004300u);
  } else {
    // 8 bits do not fit under 128: 16 times the high half, plus the low one.
    const std::uint32_t low = subtract_bfloat16<0x43004300u>((levels & 0x000F000Fu) | 0x43004300u);
    const std::uint32_t high = subtract_bfloat16<0x43004300u>((levels >> 4 & 0x000F000Fu) | 0x43004300u);
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(high), "r"(0x41804180u), "r"(low));
  }
  return result;
}

}  // namespace adaptive::kernels::mixed_bit_matmul
