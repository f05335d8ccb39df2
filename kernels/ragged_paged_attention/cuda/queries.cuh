#pragma once

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/ragged_paged_attention/cuda/batch.cuh"

namespace adaptive::kernels::ragged_paged_attention {

using ampere::Address;

/// The queries of 16 rows as mma's first operand, 16 elements of the head in each step: in registers, or in
/// shared memory, of which the caller provides query_bytes().
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
    if (!in_registers && !stores) return;
    const std::uint16_t* from[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = first_row + lane / 4 + 8 * half;
      from[half] = row < end_row ? o.q + row_at(o, tile, kv_head, row) : nullptr;
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
          part[half] = __byte_perm(four.x, four.y, 0x5410);
          part[2 + half] = __byte_perm(four.x, four.y, 0x7632);
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

 private:
  unsigned part_[in_registers ? steps : 1][4];
  Address memory_;
};

}  // namespace adaptive::kernels::ragged_paged_attention
