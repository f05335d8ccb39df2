#pragma once

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/ragged_paged_attention/cuda/batch.cuh"
#include "kernels/ragged_paged_attention/cuda/halves.cuh"

namespace adaptive::kernels::ragged_paged_attention {

using ampere::Address;

/// The queries of 16 rows as mma's first operand, 16 elements of the head in each step: in registers, or in
/// shared memory, of which the caller provides query_bytes(). For a cache of float8 they are float16, and a
/// lane has four neighbouring elements, as it has of the keys.
template <bool float8, int head>
struct Queries {
  static constexpr bool in_registers = query_bytes(head, float8 ? 1 : 2) == 0;
  static constexpr int steps = head / 16;

  /// `stores`: whether this warp writes the shared memory, which a caller may do with one warp for all. The
  /// caller synchronises.
  __device__ void load(const DeviceOperands& o, const Tile& tile, int kv_head, int first_row, int end_row,
                       Address memory, bool stores) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    memory_ = memory + lane * 16;
    if (!in_registers && !float8 && !stores) return;
    const std::uint16_t* from[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = first_row + lane / 4 + 8 * half;
      from[half] = row < end_row ? o.q + row_at(o, tile, kv_head, row) : nullptr;
    }
    float factor[2];
    if constexpr (float8) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float largest = 0;
        if (from[half] != nullptr) {
#pragma unroll
          for (int step = 0; step < steps; ++step) {
            const uint2 four = *reinterpret_cast<const uint2*>(from[half] + 16 * step + lane % 4 * 4);
            largest = larger_of(larger_of(largest, four.x), four.y);
          }
        }
        largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 1));
        largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 2));
        const QueryScale scale(largest);
        factor[half] = scale.factor();
        inverse_[half] = scale.inverse();
      }
      if (!in_registers && !stores) return;
    }
#pragma unroll
    for (int step = 0; step < steps; ++step) {
      unsigned part[4];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        part[half] = part[2 + half] = 0;
        if (from[half] == nullptr) continue;
        if constexpr (float8) {
          const uint2 four = *reinterpret_cast<const uint2*>(from[half] + 16 * step + lane % 4 * 4);
          part[half] = scaled_halves(four.x, factor[half]);
          part[2 + half] = scaled_halves(four.y, factor[half]);
        } else {
          part[half] = *reinterpret_cast<const unsigned*>(from[half] + 16 * step + lane % 4 * 2);
          part[2 + half] = *reinterpret_cast<const unsigned*>(from[half] + 16 * step + lane % 4 * 2 + 8);
        }
      }
      if constexpr (in_registers) {
#pragma unroll
        for (int i = 0; i < 4; ++i) part_[step][i] = part[i];
      } else {
        asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(memory_ + step * 512), "r"(part[0]),
                     "r"(part[1]), "r"(part[2]), "r"(part[3])
                     : "memory");
      }
    }
  }

  __device__ void get(int step, unsigned (&part)[4]) const {
    if constexpr (in_registers) {
#pragma unroll
      for (int i = 0; i < 4; ++i) part[i] = part_[step][i];
    } else {
      asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                   : "=r"(part[0]), "=r"(part[1]), "=r"(part[2]), "=r"(part[3])
                   : "r"(memory_ + step * 512)
                   : "memory");
    }
  }

  /// What the products of a lane's rows have to be multiplied by.
  __device__ float inverse(int half) const {
    if constexpr (float8) return inverse_[half];
    return 1;
  }

 private:
  float inverse_[2];
  unsigned part_[in_registers ? steps : 1][4];
  Address memory_;
};

}  // namespace adaptive::kernels::ragged_paged_attention
