#pragma once

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/ragged_paged_attention/cuda/halves.cuh"
#include "kernels/ragged_paged_attention/cuda/stored.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// What the warps that fill the rings do for a cache of float8: they widen keys and values to float16,
// exactly, between memory of their own, to which the copy engine copies them, and the rings of the tensor
// cores. Each warp has the same positions of every step.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// Widens rows at `from`, which follow each other, to their places in a stage; `to` is that of the first.
/// Rows outside of [begin, end) become zeros unless `whole`.
template <class N, int head>
__device__ void widen_rows(Address from, Address to, bool whole, int begin, int end) {
  constexpr int rows_at_once = 8 / N::slabs;
  constexpr int rounds = N::widened_rows / rows_at_once;
  constexpr int at_once = 4;
  static_assert(rounds % at_once == 0);
  // A quarter of a warp has half a slab's line of an even row, and of an odd row in another slab if there is
  // one. So both its loads and its stores of 16 bytes are in different banks.
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int odd = lane / 4 % 2;
  const int first_row = lane / 8 / N::slabs * 2 + odd;
  const int slab = N::slabs == 1 ? 0 : lane / 8 % N::slabs ^ odd;
  const Address own = from + first_row * head + slab * 64 + lane % 4 * 16;
  const Address place = to + slab * N::slab + first_row * N::line + (lane % 4 * 2 ^ first_row) * 16;
#pragma unroll 1  // few registers are left for it
  for (int first = 0; first < rounds; first += at_once) {
    // The loads come first: a store in front of a load would make it wait for the conversion.
    uint4 sixteen[at_once];
#pragma unroll
    for (int i = 0; i < at_once; ++i)
      sixteen[i] = hopper::load_shared(own + (first + i) * rows_at_once * head);
    if (!whole) {
#pragma unroll
      for (int i = 0; i < at_once; ++i) {
        const int row = (first + i) * rows_at_once + first_row;
        if (row < begin || row >= end) sixteen[i] = make_uint4(0, 0, 0, 0);
      }
    }
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const uint2 a = widened(sixteen[i].x), b = widened(sixteen[i].y);
      const uint2 c = widened(sixteen[i].z), d = widened(sixteen[i].w);
      const int row = (first + i) * rows_at_once;
      const Address line = (place ^ (row & 7) * 16) + row * N::line;
      hopper::store_shared(line, make_uint4(a.x, a.y, b.x, b.y));
      hopper::store_shared(line ^ 16, make_uint4(c.x, c.y, d.x, d.y));
    }
  }
}

/// A warp that widens: its keys and values of work after work.
template <class N, int head>
__device__ void widen_all(const DeviceOperands& o, Address base, int widener) {
  constexpr int rows = N::widened_rows;
  constexpr int boxes = rows / wgmma_box_rows;
  constexpr int box_bytes = wgmma_box_rows * head;
  constexpr int staged_bytes = 2 * rows * head;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const Address own = base + N::staging + widener * N::staging_stages * staged_bytes;
  const Address staged_full = base + N::staged_full + widener * N::staging_stages * 8;
  Queue<N> queue(base);
  hopper::Ring keys_ring, values_ring, copied, read;
  cuda::wait_for_previous();  // it stores the new tokens
  while (true) {
    const Work work = queue.take();
    if (work.tile.rows == 0) return;
    const int begin = work.begin(o), end = work.end(o);
    const int last_step = (end - 1) / N::keys;
    const auto first_position = [&](int step) { return step * N::keys + widener * rows; };
    const auto page_at = [&](int step) {
      const int position = first_position(step) + lane * wgmma_box_rows;
      return lane < boxes ? page_of(o, work.tile.sequence, position, begin, end) : 0;
    };
    int step = begin / N::keys;
    int page = page_at(step);
    const auto copy = [&](int of_step) {
      if (of_step > last_step) return;
      const int position = first_position(of_step) + lane * wgmma_box_rows;
      const bool exists = lane < boxes && position < end && position + wgmma_box_rows > begin;
      const Address full = staged_full + 8 * copied.stage;
      const Address to = own + copied.stage * staged_bytes + lane * box_bytes;
      const long long at = ((static_cast<long long>(page) * o.kv_heads + work.kv_head) * o.page_size +
                            position % o.page_size) *
                           head;
      page = page_at(of_step + 1);
      const int bytes = __popc(__ballot_sync(0xFFFFFFFFu, exists)) * 2 * box_bytes;
      if (lane == 0) hopper::barrier_expect(full, bytes);
      __syncwarp();
      if (exists) {
        hopper::copy_bytes(to, static_cast<const char*>(o.key_cache) + at, box_bytes, full);
        hopper::copy_bytes(to + rows * head, static_cast<const char*>(o.value_cache) + at, box_bytes, full);
      }
      copied.advance(N::staging_stages);
    };
    const auto await_copy = [&] { hopper::barrier_wait(staged_full + 8 * read.stage, read.parity); };
    const auto widen = [&](Address from, Address ring_at, hopper::Ring& ring, Address empty, Address full,
                           bool whole) {
      hopper::barrier_wait(empty + 8 * ring.stage, ring.parity ^ 1);
      widen_rows<N, head>(from, ring_at + ring.stage * N::stage + widener * rows * N::line, whole,
                          begin - first_position(step), end - first_position(step));
      fence_for_engine();
      __syncwarp();
      if (lane == 0) hopper::barrier_arrive(full + 8 * ring.stage);
      ring.advance(N::stages);
    };
    // Keys that no row sees may be anything: their scores are replaced.
    const auto widen_keys = [&](int of_step) {
      if (of_step == last_step && widener == 0 && lane == 0) hopper::barrier_arrive(base + N::tile_ends);
      widen(own + read.stage * staged_bytes, base + N::ring_of_keys, keys_ring, base + N::keys_empty,
            base + N::keys_full, true);
    };
    copy(step);
    copy(step + 1);
    await_copy();
    widen_keys(step);
    for (; step <= last_step; ++step) {
      const bool whole = step * N::keys >= begin && (step + 1) * N::keys <= end;
      widen(own + read.stage * staged_bytes + rows * head, base + N::ring_of_values, values_ring,
            base + N::values_empty, base + N::values_full, whole);
      read.advance(N::staging_stages);
      copy(step + 2);
      if (step == last_step) continue;
      await_copy();
      widen_keys(step + 1);
    }
  }
}

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
