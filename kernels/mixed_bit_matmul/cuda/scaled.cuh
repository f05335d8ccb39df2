#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/unrolled_for.cuh"
#include "kernels/mixed_bit_matmul/cuda/config.hpp"
#include "kernels/mixed_bit_matmul/cuda/unpack.cuh"

// Weights as wgmma's first operand: a warp has a block of 16 rows, scaled and rounded to the type of the
// activations. `own` is a chunk of the block in shared memory, its scales and offsets before its words.

namespace adaptive::kernels::mixed_bit_matmul::scaled {

using hopper::Address;

/// Returns the low half of a register in both halves.
__device__ inline std::uint32_t low_twice(std::uint32_t pair) {
  return __byte_perm(pair, 0, 0x1010);
}
__device__ inline std::uint32_t high_twice(std::uint32_t pair) {
  return __byte_perm(pair, 0, 0x3232);
}

/// What a lane needs of a group, as it is in shared memory.
template <int bits, int group>
struct Packed {
  static constexpr int first_piece = group * bits / 4;
  std::uint32_t word[bits + 4];  // the words of the pieces in which the group begins and ends
  uint2 pairs;                   // scale and offset of both rows

  __device__ Packed(Address own, int lane) {
    const Address words = own + chunk_scale_bytes + lane * 16;
    constexpr int pieces = ((group + 1) * bits + 3) / 4 - first_piece;
    unrolled_for<pieces>([&]<int piece>() {
      const uint4 four = hopper::load_shared(words + (first_piece + piece) * 512);
      const std::uint32_t each[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (4 * piece + i < bits + 4) word[4 * piece + i] = each[i];
    });
    pairs = hopper::load_shared_two(own + lane / 4 * 32 + group * 8);
  }

  /// Unpacks the group as wgmma's first operand, in steps of 16 columns.
  template <class T>
  __device__ void unpack(std::uint32_t (&a)[16]) const {
    const std::uint32_t* from = word + group * bits % 4;
    const std::uint32_t scale[2] = {low_twice(pairs.x), low_twice(pairs.y)};
    const std::uint32_t offset[2] = {high_twice(pairs.x), high_twice(pairs.y)};
    unrolled_for<slots>([&]<int slot>() {
      unrolled_for<2>([&]<int row>() {
        a[2 * slot + row] = multiply_add<T>(numbers_of<T, bits, slot, row>(from), scale[row], offset[row]);
      });
    });
  }
};

template <class T, int bits, int group>
__device__ void unpack(Address own, int lane, std::uint32_t (&a)[16]) {
  Packed<bits, group>(own, lane).template unpack<T>(a);
}

template <class T, int group>
__device__ void unpack_any(int bits, Address own, int lane, std::uint32_t (&a)[16]) {
  with_bits(bits, [&]<int width>() { unpack<T, width, group>(own, lane, a); });
}

}  // namespace adaptive::kernels::mixed_bit_matmul::scaled
