#pragma once

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/ragged_paged_attention/cuda/stored.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// What the warps that copy do for a cache of float8: they widen keys and values to bfloat16, exactly, between
// memory of their own and the rings of the tensor cores. Each warp has the same positions of every step.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// The elements of four float8 in their order, as two pairs of bfloat16.
__device__ inline uint2 widened(unsigned four) {
  // As in softmax.cuh, a product with 2^120 corrects the exponent.
  constexpr unsigned signs = 0x80008000u;
  constexpr unsigned magnitudes = 0x07F007F0u;
  constexpr unsigned scale = 0x7B807B80u;
  constexpr unsigned nothing = 0x80008000u;
  const unsigned low = __byte_perm(four, 0, 0x1404);  // each float8 is the upper byte of a half
  const unsigned high = __byte_perm(four, 0, 0x3424);
  uint2 pairs;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;"
      : "=r"(pairs.x)
      : "r"((low & signs) | (low >> 4 & magnitudes)), "r"(scale), "r"(nothing));
  asm("fma.rn.bf16x2 %0, %1, %2, %3;"
      : "=r"(pairs.y)
      : "r"((high & signs) | (high >> 4 & magnitudes)), "r"(scale), "r"(nothing));
  return pairs;
}

/// Widens rows that a warp has copied to `from`. `to` is the place of the first of them in a stage.
template <class N, int head>
__device__ void widen_rows(Address from, Address to) {
  using Layout = Stored<true, head>;
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll 4
  for (int i = 0; i < N::widened_rows * Layout::pieces / 32; ++i) {
    const int row = (32 * i + lane) / Layout::pieces;
    const int piece = (32 * i + lane) % Layout::pieces;
    const uint4 sixteen = hopper::load_shared(from + Layout::place(row, piece));
    const uint2 a = widened(sixteen.x), b = widened(sixteen.y);
    const uint2 c = widened(sixteen.z), d = widened(sixteen.w);
    const Address line = to + piece / 4 * N::slab + row * N::line;
    const int at = piece % 4 * 2;
    // The threads of two slabs store to different banks at the same time.
    const bool second = piece / 4 % 2 == 1;
    const uint4 first_half = make_uint4(a.x, a.y, b.x, b.y);
    const uint4 second_half = make_uint4(c.x, c.y, d.x, d.y);
    hopper::store_shared(line + ((at + (second ? 1 : 0)) ^ (row & 7)) * 16,
                         second ? second_half : first_half);
    hopper::store_shared(line + ((at + (second ? 0 : 1)) ^ (row & 7)) * 16,
                         second ? first_half : second_half);
  }
}

/// A warp that widens: its keys and values of work after work.
template <class N, int head>
__device__ void widen_all(const DeviceOperands& o, Address base, int widener) {
  constexpr int row_bytes = head;
  constexpr int rows = N::widened_rows;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const Address own = base + N::staging + widener * N::staging_stages * 2 * rows * row_bytes;
  Queue<N> queue(base);
  static_assert(N::staging_stages == 2);
  hopper::Ring keys_ring, values_ring;
  cuda::wait_for_previous();  // it stores the new tokens
  while (true) {
    const Work work = queue.take();
    if (work.tile.rows == 0) return;
    const int begin = work.begin(o), end = work.end(o);
    const int first_step = begin / N::keys;
    const int last_step = (end - 1) / N::keys;
    const auto staged = [&](int step) {
      return own + (step - first_step) % N::staging_stages * 2 * rows * row_bytes;
    };
    const auto first_position = [&](int step) { return step * N::keys + widener * rows; };
    int page[rows / 16];  // of the next step to copy
    const auto find_pages = [&](int step) {
#pragma unroll
      for (int i = 0; i < rows / 16; ++i)
        page[i] = page_of(o, work.tile.sequence, first_position(step) + 16 * i, begin, end);
    };
    // Positions outside of the work become zeros.
    const auto copy = [&](int step) {
      if (step <= last_step) {
#pragma unroll
        for (int i = 0; i < rows / 16; ++i)
          copy_sixteen<true, head, 32>(o, work.kv_head, page[i], first_position(step) + 16 * i, begin, end,
                                       staged(step) + 16 * i * row_bytes,
                                       staged(step) + (rows + 16 * i) * row_bytes, lane);
        find_pages(step + 1);
      }
      commit_copies();
    };
    const auto widen = [&](Address from, Address ring_at, int stage, Address empty, Address full,
                           int parity) {
      hopper::barrier_wait(empty + 8 * stage, parity);
      widen_rows<N, head>(from, ring_at + stage * N::stage + widener * rows * N::line);
      fence_for_engine();
      __syncwarp();
      if (lane == 0) hopper::barrier_arrive(full + 8 * stage);
    };
    const auto widen_keys = [&](int step) {
      if (step == last_step && widener == 0 && lane == 0) hopper::barrier_arrive(base + N::tile_ends);
      widen(staged(step), base + N::ring_of_keys, keys_ring.stage, base + N::keys_empty, base + N::keys_full,
            keys_ring.parity ^ 1);
      keys_ring.advance(N::stages);
    };
    find_pages(first_step);
    copy(first_step);
    copy(first_step + 1);
    wait_for_copies<1>();
    __syncwarp();
    widen_keys(first_step);
    // The next keys come before the next copies: the stage of the values has just become free, and both are
    // needed for the same products.
    for (int step = first_step; step <= last_step; ++step) {
      widen(staged(step) + rows * row_bytes, base + N::ring_of_values, values_ring.stage,
            base + N::values_empty, base + N::values_full, values_ring.parity ^ 1);
      values_ring.advance(N::stages);
      wait_for_copies<0>();
      __syncwarp();
      if (step < last_step) widen_keys(step + 1);
      copy(step + 2);
    }
    wait_for_copies<0>();
  }
}

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
