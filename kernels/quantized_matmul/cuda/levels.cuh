#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstdint>
#include <cstring>

#include "kernels/quantized_matmul/operands.hpp"

// Levels of one byte on the device.

namespace adaptive::kernels::quantized_matmul {

__device__ inline float bfloat16_value(std::uint16_t bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

/// Scaling of ../quantise.hpp.
struct DeviceScaling {
  float to_level, scale;
};

/// `largest` has the bits of the largest magnitude in bfloat16.
template <Types types>
__device__ DeviceScaling device_scaling_of(unsigned largest) {
  constexpr float level_max = types == Types::fp8_w8a8 ? 448.0f : 127.0f;
  if (largest == 0) return {0, 0};
  const float magnitude = bfloat16_value(static_cast<std::uint16_t>(largest));
  return {__fdiv_rn(level_max, magnitude), __fdiv_rn(magnitude, level_max)};
}

template <Types types>
__device__ std::uint8_t level_of(float value, float to_level) {
  const float scaled = __fmul_rn(value, to_level);
  if constexpr (types == Types::fp8_w8a8)
    return __nv_cvt_float_to_fp8(scaled, __NV_SATFINITE, __NV_E4M3);
  else
    return static_cast<std::uint8_t>(static_cast<std::int8_t>(__float2int_rn(scaled)));
}

/// The value of a weight's or an activation's level.
template <Types types>
__device__ auto level_value(std::uint8_t level) {
  if constexpr (types == Types::fp8_w8a8) {
    __nv_fp8_e4m3 value;
    value.__x = level;
    return static_cast<float>(value);
  } else {
    return static_cast<int>(static_cast<std::int8_t>(level));
  }
}

/// Converts two bytes to two float16.
__device__ inline std::uint32_t halves_of_e4m3(std::uint32_t two_bytes) {
  const __half2_raw raw = __nv_cvt_fp8x2_to_halfraw2(static_cast<__nv_fp8x2_storage_t>(two_bytes), __NV_E4M3);
  return static_cast<std::uint32_t>(raw.x) | static_cast<std::uint32_t>(raw.y) << 16;
}

/// Converts four int8 to four bfloat16, in two words. The low seven bits of a level go to the mantissa of
/// 128, and 128 or, for a negative level, 256 is subtracted.
__device__ inline uint2 bfloat16_of_int8(std::uint32_t four) {
  const auto convert = [](std::uint32_t pair) {  // a level in the low byte of each half
    const std::uint32_t raised = (pair & 0x007F007Fu) | 0x43004300u;
    const std::uint32_t offset = (pair & 0x00800080u) | 0x43004300u;
    __nv_bfloat162 a, b;
    memcpy(&a, &raised, sizeof a);
    memcpy(&b, &offset, sizeof b);
    const __nv_bfloat162 level = __hsub2(a, b);
    std::uint32_t bits;
    memcpy(&bits, &level, sizeof bits);
    return bits;
  };
  return {convert(__byte_perm(four, 0, 0x4140)), convert(__byte_perm(four, 0, 0x4342))};
}

}  // namespace adaptive::kernels::quantized_matmul
