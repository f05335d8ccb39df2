#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

// A cache of float8 is multiplied in float16, which holds every float8 exactly: one instruction converts two
// elements, where five would be needed for bfloat16. The queries are bfloat16, whose range is that of
// float32. Therefore each row of queries is multiplied by a power of two that brings its largest element to
// 2^14 or above, but below 2^15. Only elements more than 2^28 times smaller than it lose digits. Weights are
// at most 2^15 as well.

namespace adaptive::kernels::ragged_paged_attention {

/// What keys, values, queries and weights are multiplied in.
template <bool float8>
using Multiplied = std::conditional_t<float8, __half, __nv_bfloat16>;

/// Weights that become float16 are multiplied by 2 to this power, so that those of distant positions, which
/// are small but many, keep their digits.
constexpr float weight_shift = 15;

/// Two float16 from the lower two of four float8, exactly.
__device__ inline unsigned halves_of(unsigned float8) {
  unsigned halves;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  asm("{\n\t.reg .b16 low, high;\n\tmov.b32 {low, high}, %1;\n\tcvt.rn.f16x2.e4m3x2 %0, low;\n\t}"
      : "=r"(halves)
      : "r"(float8));
#else
  // The exponent's bias is 15 instead of 7: the product with 2^8 is exact, also for the subnormal ones.
  const unsigned spread = __byte_perm(float8, 0, 0x1404);
  const unsigned moved = (spread & 0x80008000u) | (spread >> 1 & 0x3F803F80u);
  asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(halves) : "r"(moved), "r"(0x5C005C00u), "r"(0x80008000u));
#endif
  return halves;
}

/// The elements of four float8 in their order.
__device__ inline uint2 widened(unsigned four) {
  return make_uint2(halves_of(four), halves_of(four >> 16));
}

__device__ inline unsigned pack_halves(float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  unsigned bits;
  memcpy(&bits, &pair, sizeof bits);
  return bits;
}

/// The power of two for a row of queries, from its largest magnitude, and its inverse.
class QueryScale {
 public:
  __device__ explicit QueryScale(float largest) {
    exponent_ = max(static_cast<int>(__float_as_uint(largest) >> 23 & 255), 15);
  }
  __device__ float factor() const { return __uint_as_float(static_cast<unsigned>(268 - exponent_) << 23); }
  __device__ float inverse() const { return __uint_as_float(static_cast<unsigned>(exponent_ - 14) << 23); }

 private:
  int exponent_;
};

__device__ inline float low_of(unsigned pair) {
  return __uint_as_float(pair << 16);
}
__device__ inline float high_of(unsigned pair) {
  return __uint_as_float(pair & 0xFFFF0000u);
}

/// The larger magnitude of two bfloat16, or `largest`.
__device__ inline float larger_of(float largest, unsigned pair) {
  return fmaxf(largest, fmaxf(fabsf(low_of(pair)), fabsf(high_of(pair))));
}

__device__ inline float larger_of(float largest, const uint4& eight) {
  return larger_of(larger_of(larger_of(larger_of(largest, eight.x), eight.y), eight.z), eight.w);
}

/// Two bfloat16 times `factor` as float16.
__device__ inline unsigned scaled_halves(unsigned pair, float factor) {
  return pack_halves(low_of(pair) * factor, high_of(pair) * factor);
}

__device__ inline uint4 scaled_halves(const uint4& eight, float factor) {
  return make_uint4(scaled_halves(eight.x, factor), scaled_halves(eight.y, factor),
                    scaled_halves(eight.z, factor), scaled_halves(eight.w, factor));
}

}  // namespace adaptive::kernels::ragged_paged_attention
