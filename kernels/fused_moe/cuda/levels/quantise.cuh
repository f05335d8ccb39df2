#pragma once

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <cstdint>
#include <cstring>

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/fused_moe/cuda/levels/kernels.hpp"

// Quantises numbers of bfloat16. The rounding is that of quantised_matmul: the largest magnitude of those
// that share a scale becomes the largest level.

namespace adaptive::kernels::fused_moe::levels {
__device__ inline unsigned largest_of_warp(unsigned value) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2)
    value = max(value, __shfl_xor_sync(0xFFFFFFFFu, value, offset));
  return value;
}

__device__ inline float value_of(std::uint16_t bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

struct DeviceScaling {
  float to_level, scale;
};

/// `largest` has the bits of the largest magnitude in bfloat16.
__device__ inline DeviceScaling scaling_of(unsigned largest, float level_max) {
  if (largest == 0) return {0.0f, 0.0f};
  const float magnitude = value_of(static_cast<std::uint16_t>(largest));
  return {__fdiv_rn(level_max, magnitude), __fdiv_rn(magnitude, level_max)};
}

__device__ inline std::uint8_t float8_of(float value) {
  return __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3);
}

__device__ inline std::uint8_t int8_of(float value) {
  return static_cast<std::uint8_t>(static_cast<std::int8_t>(__float2int_rn(value)));
}

/// Reads or writes four neighbouring numbers, side by side if `together`; otherwise those inside the row.
template <bool together, class T>
__device__ void read_four(const T* from, T (&to)[4], int exist) {
  if constexpr (together) {
    if (exist > 0) memcpy(to, __builtin_assume_aligned(from, 4 * sizeof(T)), 4 * sizeof(T));
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (i < exist) to[i] = from[i];
  }
}
template <bool together, class T>
__device__ void write_four(T* to, const T (&from)[4], int exist) {
  if constexpr (together) {
    if (exist > 0) memcpy(__builtin_assume_aligned(to, 4 * sizeof(T)), from, 4 * sizeof(T));
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (i < exist) to[i] = from[i];
  }
}

__device__ inline unsigned largest_in(const std::uint16_t (&x)[4]) {
  unsigned largest = 0;
#pragma unroll
  for (int i = 0; i < 4; ++i) largest = max(largest, static_cast<unsigned>(x[i] & 0x7FFF));
  return largest;
}

/// A warp quantises number `at` of the segments of 128 columns of all rows.
template <bool together>
__device__ void quantise_segment(const Quantised& q, long long at) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int segments = (q.columns + 127) / 128;
  const long long row = at / segments;
  const int segment = static_cast<int>(at % segments);
  if (row >= (q.row_count == nullptr ? q.rows : cuda::load_fresh(q.row_count))) return;  // whole warps
  const long long from = q.row_of == nullptr ? row : cuda::load_fresh(q.row_of + row);
  const int column = segment * 128 + lane * 4;
  const int exist = min(q.columns - column, 4);
  std::uint16_t x[4] = {};
  read_four<together>(static_cast<const std::uint16_t*>(q.x) + from * q.columns + column, x, exist);
  const DeviceScaling scaling = scaling_of(largest_of_warp(largest_in(x)), 448.0f);
  if (lane == 0) q.scales[segment * static_cast<long long>(q.scale_stride) + row] = scaling.scale;
  std::uint8_t levels[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) levels[i] = float8_of(__fmul_rn(value_of(x[i]), scaling.to_level));
  write_four<together>(static_cast<std::uint8_t*>(q.levels) + row * q.columns + column, levels, exist);
}

}  // namespace adaptive::kernels::fused_moe::levels
