#pragma once

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/ragged_paged_attention/cuda/halves.cuh"
#include "kernels/ragged_paged_attention/cuda/stored.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// What the warps that copy do for a cache of float8: they widen keys and values to float16, exactly, between
// memory of their own and the rings of the tensor cores. Each warp has the same positions of every step.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// Widens rows that a warp has copied to `from`. `to` is the place of the first of them in a stage.
template <class N, int head>
__device__ void widen_rows(Address from, Address to) {
  using Layout = Stored<true, head>;
  constexpr int rows_at_once = 32 / Layout::pieces;
  constexpr int rounds = N::widened_rows / rows_at_once;
  constexpr int at_once = 4;
  static_assert(N::widened_rows % (rows_at_once * at_once) == 0);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int piece = lane & (Layout::pieces - 1);
  // The threads of two slabs store to different banks at the same time.
  const bool second = (piece & 4) != 0;
  const int first_row = lane / Layout::pieces;
#pragma unroll 1  // few registers are left for it
  for (int first = 0; first < rounds; first += at_once) {
    // The loads come first: a store in front of a load would make it wait for the conversion.
    uint4 sixteen[at_once];
#pragma unroll
    for (int i = 0; i < at_once; ++i)
      sixteen[i] = hopper::load_shared(from + Layout::place(rows_at_once * (first + i) + first_row, piece));
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const int row = rows_at_once * (first + i) + first_row;
      const uint2 a = widened(sixteen[i].x), b = widened(sixteen[i].y);
      const uint2 c = widened(sixteen[i].z), d = widened(sixteen[i].w);
      const Address line = to + (second ? N::slab : 0) + row * N::line;
      const int at = (piece & 3) * 2;
      const uint4 first_half = make_uint4(a.x, a.y, b.x, b.y);
      const uint4 second_half = make_uint4(c.x, c.y, d.x, d.y);
      hopper::store_shared(line + ((at + (second ? 1 : 0)) ^ (row & 7)) * 16,
                           second ? second_half : first_half);
      hopper::store_shared(line + ((at + (second ? 0 : 1)) ^ (row & 7)) * 16,
                           second ? first_half : second_half);
    }
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
