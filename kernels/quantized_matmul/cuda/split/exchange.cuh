#pragma once

#include <type_traits>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/store_sums.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"

// The end of a tile whose columns are shared by the blocks of a cluster: each block leaves its sums in shared
// memory, and then adds the sums of all blocks for its share of the tokens, in the order of the blocks, so
// that the result always has the same bits.

namespace adaptive::kernels::quantized_matmul {
namespace split {

using hopper::Address;

/// The address of the same place in another block of the cluster.
__device__ inline Address place_in(Address at, int rank) {
  Address there;
  asm volatile("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(at), "r"(rank));
  return there;
}

__device__ inline uint4 load_cluster(Address from) {
  uint4 value;
  asm volatile("ld.shared::cluster.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "r"(from)
               : "memory");
  return value;
}

template <class T>
__device__ T from_bits(std::uint32_t bits) {
  if constexpr (std::is_same_v<T, int>)
    return static_cast<int>(bits);
  else
    return __uint_as_float(bits);
}

/// Leaves the sums of a group of four warps, in the layout of wgmma, for tokens from `row` on. They take the
/// place of the stages, which no warp may need any more.
template <int columns, class Total, int count>
__device__ void leave_sums(Total* to, const Total (&sum)[count], int row) {
  static_assert(count == columns / 2);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int first = row + static_cast<int>(threadIdx.x) / 32 % 4 * 16 + lane / 4;
#pragma unroll
  for (int i = 0; i < count; ++i)
    to[(first + i / 2 % 2 * 8) * split_sum_stride(columns) + i / 4 * 8 + lane % 4 * 2 + i % 2] = sum[i];
}

/// Adds, scales and stores the sums at `base` of all blocks of the cluster, of a tile of `tokens` tokens. All
/// threads of all blocks must call it. `scaled`: the sums have been scaled. `wide`: activations have no
/// scales.
template <int tokens, int columns, int blocks, int threads, bool scaled, bool wide, class Total>
__device__ void add_sums(const DeviceOperands& o, Address base, int row0, int column0, int rank) {
  constexpr int rows = tokens / blocks;
  constexpr int pieces = columns / 8;
  const bool tensor = o.scales == Scales::tensor;
  const auto scales_of = [&](int at, float(&scale)[8]) {
    if constexpr (!scaled) {
      const float x_scale =
          wide ? 1.0f : o.x_scales[tensor ? 0 : min(row0 + rank * rows + at / pieces, o.tokens - 1)];
      const int column = min(column0 + at % pieces * 8, o.out_features - 8);
#pragma unroll
      for (int i = 0; i < 8; ++i) scale[i] = x_scale * o.w_scales[tensor ? 0 : column + i];
    }
  };
  // Most threads store only one piece, whose scales are loaded before the other blocks have finished.
  float scale[8] = {};
  scales_of(static_cast<int>(threadIdx.x) % (rows * pieces), scale);
  hopper::cluster_sync();
  for (int at = static_cast<int>(threadIdx.x); at < rows * pieces; at += threads) {
    if (at >= threads) scales_of(at, scale);
    const int row = rank * rows + at / pieces;
    const int into = at % pieces * 8;
    const int token = row0 + row;
    const int column = column0 + into;
    if (token >= o.tokens || column >= o.out_features) continue;
    Total total[8] = {};
#pragma unroll
    for (int of = 0; of < blocks; ++of) {
      const Address from = place_in(base + (row * split_sum_stride(columns) + into) * 4, of);
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const uint4 four = load_cluster(from + half * 16);
        total[4 * half] += from_bits<Total>(four.x);
        total[4 * half + 1] += from_bits<Total>(four.y);
        total[4 * half + 2] += from_bits<Total>(four.z);
        total[4 * half + 3] += from_bits<Total>(four.w);
      }
    }
    float value[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) value[i] = static_cast<float>(total[i]) * (scaled ? 1.0f : scale[i]);
    const uint4 packed = {
        hopper::pack<__nv_bfloat16>(value[0], value[1]), hopper::pack<__nv_bfloat16>(value[2], value[3]),
        hopper::pack<__nv_bfloat16>(value[4], value[5]), hopper::pack<__nv_bfloat16>(value[6], value[7])};
    *reinterpret_cast<uint4*>(static_cast<__nv_bfloat16*>(o.y) +
                              static_cast<long long>(token) * o.out_features + column) = packed;
  }
  // No block may exit while another one may still read its memory.
  __syncwarp();
  hopper::cluster_sync();
}

}  // namespace split
}  // namespace adaptive::kernels::quantized_matmul
