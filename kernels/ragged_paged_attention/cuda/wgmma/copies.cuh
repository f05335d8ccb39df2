#pragma once

#include <cuda.h>

#include "kernels/ragged_paged_attention/cuda/stored.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// What the warps that copy do.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// The position of the warp that copies in its rings.
struct Copier {
  hopper::Ring ring;
  int edge_parity = 0;
};

/// Copies the keys and values of one work. Calls `before_last()` before the last step.
template <class N, class F>
__device__ void copy_steps(const DeviceOperands& o, const CUtensorMap* key_map, const CUtensorMap* value_map,
                           Address base, const Work& work, Copier& copier, const F& before_last) {
  const Tile& tile = work.tile;
  const int kv_head = work.kv_head;
  const int begin = work.begin(o), end = work.end(o);
  hopper::Ring& ring = copier.ring;
  constexpr int boxes = N::keys / wgmma_box_rows;
  constexpr int box_bytes = wgmma_box_rows * N::line;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int first_step = begin / N::keys;
  const int last_step = (end - 1) / N::keys;
  const auto page_at = [&](int step) {
    const int position = step * N::keys + lane * wgmma_box_rows;
    return lane < boxes ? page_of(o, tile.sequence, position, begin, end) : 0;
  };
  int page = page_at(first_step);
  for (int step = first_step; step <= last_step; ++step) {
    if (step == last_step) before_last();
    const int position = step * N::keys + lane * wgmma_box_rows;
    const bool exists = lane < boxes && position < end && position + wgmma_box_rows > begin;
    const int row = (page * o.kv_heads + kv_head) * o.page_size + position % o.page_size;
    page = page_at(step + 1);
    const int bytes = __popc(__ballot_sync(0xFFFFFFFFu, exists)) * N::slabs * box_bytes;
    const auto copy = [&](const CUtensorMap* map, Address stage, Address full) {
      if (lane == 0) hopper::barrier_expect(full, bytes);
      __syncwarp();
      if (!exists) return;
#pragma unroll
      for (int slab = 0; slab < N::slabs; ++slab)
        hopper::copy_box(stage + slab * N::slab + lane * box_bytes, map, 64 * slab, row, full);
    };
    const Address to = ring.stage * N::stage;
    hopper::barrier_wait(base + N::keys_empty + 8 * ring.stage, ring.parity ^ 1);
    copy(key_map, base + N::ring_of_keys + to, base + N::keys_full + 8 * ring.stage);

    hopper::barrier_wait(base + N::values_empty + 8 * ring.stage, ring.parity ^ 1);
    const Address values = base + N::ring_of_values + to;
    const Address full = base + N::values_full + 8 * ring.stage;
    const int from = step * N::keys;
    if (from >= begin && from + N::keys <= end) {
      copy(value_map, values, full);
    } else {
      copy(value_map, values, base + N::edge_full);
      hopper::barrier_wait(base + N::edge_full, copier.edge_parity);
      copier.edge_parity ^= 1;
      const auto clear = [&](int from_row, int to_row) {
        constexpr int pieces = N::slabs * 8;
        for (int i = from_row * pieces + lane; i < to_row * pieces; i += 32)
          hopper::store_shared(values + i % pieces / 8 * N::slab + i / pieces * N::line + i % 8 * 16,
                               make_uint4(0, 0, 0, 0));
      };
      clear(0, begin - from);
      clear(end - from, N::keys);
      fence_for_engine();
      __syncwarp();
      if (lane == 0) hopper::barrier_arrive(full);
    }
    ring.advance(N::stages);
  }
}

/// Copies rows of queries, from row `first` of the tile on, for the tensor cores; rows that do not exist
/// become zeros. Called by `threads` threads with their number.
template <class N, int head, int threads>
__device__ void load_queries(const DeviceOperands& o, const Work& work, Address base, int first, int rows,
                             int thread) {
  constexpr int pieces = head / 8;
#pragma unroll 2
  for (int i = thread; i < rows * pieces; i += threads) {
    const int row = first + i / pieces;
    const int piece = i % pieces;
    const bool exists = row < work.tile.rows;
    const long long from = exists ? row_at(o, work.tile, work.kv_head, work.tile.row + row) + 8 * piece : 0;
    ampere::copy_piece_or_zeros(
        base + piece / 8 * N::query_slab + row * N::line + ((piece % 8) ^ (row & 7)) * 16, o.q + from,
        exists);
  }
  commit_copies();
  wait_for_copies<0>();
  fence_for_engine();
}

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
