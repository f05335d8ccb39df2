#pragma once

#include <cuda.h>

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/ragged_paged_attention/cuda/halves.cuh"
#include "kernels/ragged_paged_attention/cuda/stored.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// What the warps that copy do. One copies keys and one values, so that neither waits for the other's stages.
//
// The copy engine cannot leave out positions behind the last token or in front of a window, whose values may
// be anything. Their weights are 0, but not the product of 0 and what is not a number. Therefore the warp
// that copies values waits for a step that has such positions, and fills them with zeros.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// Sets rows [from, to) of a stage to zeros.
template <class N>
__device__ void clear_rows(Address stage, int from, int to) {
  constexpr int pieces = N::slabs * 8;
#pragma unroll 1  // few registers are left for it
  for (int i = from * pieces + static_cast<int>(threadIdx.x) % 32; i < to * pieces; i += 32)
    hopper::store_shared(stage + i % pieces / 8 * N::slab + i / pieces * N::line + i % 8 * 16,
                         make_uint4(0, 0, 0, 0));
}

/// Copies the keys, or the values, of work after work.
template <class N, bool values>
__device__ void copy_all(const DeviceOperands& o, const CUtensorMap* map, Address base) {
  constexpr int boxes = N::keys / wgmma_box_rows;
  constexpr int box_bytes = wgmma_box_rows * N::line;
  const Address ring_at = base + (values ? N::ring_of_values : N::ring_of_keys);
  const Address full_at = base + (values ? N::values_full : N::keys_full);
  const Address empty_at = base + (values ? N::values_empty : N::keys_empty);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  Queue<N> queue(base);
  hopper::Ring ring;
  int edge_parity = 0;
  cuda::wait_for_previous();  // it stores the new tokens
  while (true) {
    const Work work = queue.take();
    if (work.tile.rows == 0) return;
    const int begin = work.begin(o);
    const int last_step = (work.end(o) - 1) / N::keys;
    // Later tokens of the sequence are numbers as well, and need no zeros in their place.
    const int end = values ? min((last_step + 1) * N::keys, work.tile.past + work.tile.tokens) : work.end(o);
    const auto page_at = [&](int step) {
      const int position = step * N::keys + lane * wgmma_box_rows;
      return lane < boxes ? page_of(o, work.tile.sequence, position, begin, end) : 0;
    };
    int step = begin / N::keys;
    int page = page_at(step);
    for (; step <= last_step; ++step) {
      const int position = step * N::keys + lane * wgmma_box_rows;
      const bool exists = lane < boxes && position < end && position + wgmma_box_rows > begin;
      const int row = (page * o.kv_heads + work.kv_head) * o.page_size + position % o.page_size;
      page = page_at(step + 1);
      const int bytes = __popc(__ballot_sync(0xFFFFFFFFu, exists)) * N::slabs * box_bytes;
      const int from = step * N::keys;
      const bool whole = !values || (from >= begin && from + N::keys <= end);
      const Address stage = ring_at + ring.stage * N::stage;
      const Address full = full_at + 8 * ring.stage;
      const Address arrives = whole ? full : base + N::edge_full;
      if (!values && step == last_step && lane == 0) hopper::barrier_arrive(base + N::tile_ends);
      hopper::barrier_wait(empty_at + 8 * ring.stage, ring.parity ^ 1);
      if (lane == 0) hopper::barrier_expect(arrives, bytes);
      __syncwarp();
      if (exists) {
#pragma unroll
        for (int slab = 0; slab < N::slabs; ++slab)
          hopper::copy_box(stage + slab * N::slab + lane * box_bytes, map, 64 * slab, row, arrives);
      }
      if (!whole) {
        hopper::barrier_wait(arrives, edge_parity);
        edge_parity ^= 1;
        clear_rows<N>(stage, 0, begin - from);
        clear_rows<N>(stage, end - from, N::keys);
        fence_for_engine();
        __syncwarp();
        if (lane == 0) hopper::barrier_arrive(full);
      }
      ring.advance(N::stages);
    }
  }
}

/// Turns the 64 rows of queries of a group, which this warp has copied, into float16, and stores the inverses
/// of their scales. A lane has two rows; the pieces of eight of them are in different banks.
template <class N>
__device__ void scale_queries(Address base, int group) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll 1
  for (int row = 64 * group + lane; row < 64 * group + 64; row += 32) {
    const auto place = [&](int piece) {
      return base + piece / 8 * N::query_slab + row * N::line + (piece % 8 ^ (row & 7)) * 16;
    };
    float largest = 0;
#pragma unroll 4
    for (int piece = 0; piece < 8 * N::slabs; ++piece)
      largest = larger_of(largest, hopper::load_shared(place(piece)));
    const QueryScale scale(largest);
    hopper::store_shared(base + N::query_scales + 4 * row, __float_as_int(scale.inverse()));
    const float factor = scale.factor();
#pragma unroll 4
    for (int piece = 0; piece < 8 * N::slabs; ++piece)
      hopper::store_shared(place(piece), scaled_halves(hopper::load_shared(place(piece)), factor));
  }
}

/// Copies the 64 rows of queries of a group for the tensor cores; rows that do not exist become zeros.
template <class N, int head>
__device__ void load_queries(const DeviceOperands& o, const Work& work, Address base, int group) {
  constexpr int pieces = head / 8;
  constexpr int at_once = 32 / pieces;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int piece = lane % pieces;
  int own[2];  // rows of q; the divisions are done once for each row
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = 64 * group + 32 * half + lane;
    own[half] = row < work.tile.rows
                    ? static_cast<int>(row_at(o, work.tile, work.kv_head, work.tile.row + row) / head)
                    : -1;
  }
  const Address to = base + piece / 8 * N::query_slab + 64 * group * N::line;
#pragma unroll 4
  for (int i = 0; i < 64; i += at_once) {
    const int row = i + lane / pieces;
    const int from = __shfl_sync(0xFFFFFFFFu, i < 32 ? own[0] : own[1], row % 32);
    ampere::copy_piece_or_zeros(to + row * N::line + ((piece % 8) ^ (row & 7)) * 16,
                                o.q + static_cast<long long>(max(from, 0)) * head + 8 * piece, from >= 0);
  }
  commit_copies();
  wait_for_copies<0>();
  if constexpr (N::widens) {
    __syncwarp();
    scale_queries<N>(base, group);
  }
  fence_for_engine();
}

/// Loads the queries of some of the groups of a work, when their earlier queries are no longer needed.
template <class N, int head>
__device__ void load_queries_of(const DeviceOperands& o, const Work& work, Address base, int loader,
                                int parity) {
  for (int group = loader; group < N::groups; group += N::loaders) {
    hopper::barrier_wait(base + N::queries_empty + 8 * group, parity ^ 1);
    load_queries<N, head>(o, work, base, group);
    __syncwarp();
    if (N::query_lanes == 32 || threadIdx.x % 32 == 0)
      hopper::barrier_arrive(base + N::queries_full + 8 * group);
  }
}

/// The last block to finish resets the counters for the next launch.
__device__ inline void leave(int* counter) {
  __threadfence();
  if (atomicAdd(counter + 1, 1) != static_cast<int>(gridDim.x) - 1) return;
  counter[0] = 0;
  counter[1] = 0;
}

/// The first warp that loads queries also finds the works.
template <class N, int head>
__device__ void find_all(const DeviceOperands& o, Address base, RowRange range, int tiles, int* counter) {
  Queue<N> queue(base);
  int number = static_cast<int>(blockIdx.x);
  const auto take_number = [&] {
    int next = 0;
    if (threadIdx.x % 32 == 0) next = static_cast<int>(gridDim.x) + atomicAdd(counter, 1);
    number = __shfl_sync(0xFFFFFFFFu, next, 0);
  };
  for (int parity = 0;; parity ^= 1) {
    Work work{};
    while (number < tiles * o.kv_heads) {
      work = find_work<N>(o, range, tiles, number);
      if (work.tile.rows != 0) break;
      take_number();
    }
    queue.give(work);
    if (work.tile.rows == 0) break;
    load_queries_of<N, head>(o, work, base, 0, parity);
    // Not before the last step of keys: a block with a long tile would keep another one from its neighbours.
    hopper::barrier_wait(base + N::tile_ends, parity);
    take_number();
  }
  if (threadIdx.x % 32 == 0) leave(counter);
}

/// The second one.
template <class N, int head>
__device__ void load_all(const DeviceOperands& o, Address base) {
  Queue<N> queue(base);
  for (int parity = 0;; parity ^= 1) {
    const Work work = queue.take();
    if (work.tile.rows == 0) return;
    load_queries_of<N, head>(o, work, base, 1, parity);
  }
}

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
