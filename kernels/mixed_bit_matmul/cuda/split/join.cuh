#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"

// The division of the chunks among blocks of threads, and the join of a tile that several of them have worked
// on. Each leaves its sums in scratch memory; the last one to do so adds them all in the order of the chunks,
// so that the result does not depend on who is last. No block waits for another.

namespace adaptive::kernels::mixed_bit_matmul::split {

using hopper::Address;

/// Units are chunks of a tile of rows and tokens, tile by tile; tiles of the same rows are neighbours, so
/// that their weights are read from memory once.
struct Shares {
  int own;  // the block of threads
  int parts, each, rest;
  int chunks, token_tiles;
  int begin, count;  // own units
  SplitScratch scratch;

  __device__ Shares(const DeviceOperands& operands, const SplitScratch& given, const SplitGrid& grid,
                    bool cluster)
      : own(static_cast<int>(blockIdx.x)),
        parts(grid.parts),
        each(grid.each),
        rest(grid.rest),
        chunks(operands.chunks()),
        token_tiles(grid.token_tiles),
        scratch(given) {
    const int part = cluster ? own % parts : own;
    begin = first(part) + (cluster ? own / parts * chunks : 0);
    count = each + (part < rest ? 1 : 0);
  }
  /// The first unit of a block of threads, or the first chunk of a part.
  __device__ int first(int block) const { return block * each + min(block, rest); }
  __device__ int owner_of(int unit) const {
    const int longer = rest * (each + 1);
    return unit < longer ? unit / (each + 1) : rest + (unit - longer) / each;
  }
};

/// Stores four sums of a thread as wgmma leaves them: two rows, eight apart, of two tokens.
template <class T>
__device__ void store(const DeviceOperands& operands, int row, int token, const float (&sum)[4]) {
  T* y = static_cast<T*>(operands.y) + static_cast<long long>(token) * operands.out_features + row;
#pragma unroll
  for (int t = 0; t < 2; ++t)
#pragma unroll
    for (int r = 0; r < 2; ++r)
      if (token + t < operands.tokens && row + 8 * r < operands.out_features)
        y[t * operands.out_features + 8 * r] = static_cast<T>(sum[2 * r + t]);
}

__device__ inline float4 load_scratch(const float4* from) {
  float4 value;
  asm volatile("ld.global.cg.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
               : "l"(from)
               : "memory");
  return value;
}

/// Ends a tile: `sum` has its chunks [from, to), by a whole warp group.
template <class T, SplitTile tile>
__device__ void finish(const DeviceOperands& operands, const Shares& shares, Address last, int index,
                       int from, int to, const float (&sum)[tile.tokens / 2]) {
  constexpr int pieces = tile.tokens / 8;
  constexpr int groups = tile.warps() / 4;
  const int thread = static_cast<int>(threadIdx.x) % 128;
  const int group = static_cast<int>(threadIdx.x) / 128;
  const int row =
      (index / shares.token_tiles * tile.warps() + static_cast<int>(threadIdx.x) / 32) * rows_of_block +
      thread % 32 / 4;
  const int token = index % shares.token_tiles * tile.tokens + thread % 4 * 2;
  if (from == 0 && to == shares.chunks) {
#pragma unroll
    for (int i = 0; i < pieces; ++i)
      store<T>(operands, row, token + 8 * i, {sum[4 * i], sum[4 * i + 1], sum[4 * i + 2], sum[4 * i + 3]});
    return;
  }
  const int first_unit = index * shares.chunks;
  const int first = shares.owner_of(first_unit);
  const int end = shares.owner_of(first_unit + shares.chunks - 1) + 1;
  // A block of threads has at most two tiles that are not its own alone: its first and its last one.
  const auto at = [&](int block) {
    const int slot = shares.first(block) >= first_unit ? 0 : 1;
    return shares.scratch.sums +
           ((static_cast<long long>(block) * 2 + slot) * groups + group) * pieces * 128 + thread;
  };
  float4* own = at(shares.own);
#pragma unroll
  for (int i = 0; i < pieces; ++i)
    own[i * 128] = {sum[4 * i], sum[4 * i + 1], sum[4 * i + 2], sum[4 * i + 3]};
  __threadfence();
  hopper::group_sync(1 + group);
  // Each block is the first one of at most one such tile, which gives the tile its counter.
  int* counter = shares.scratch.counters + first * groups + group;
  if (thread == 0) {
    const int before = atomicAdd(counter, 1);
    if (before == end - first - 1) *counter = 0;  // for the next launch
    hopper::store_shared(last + 4 * group, before == end - first - 1 ? 1 : 0);
  }
  hopper::group_sync(1 + group);
  if (hopper::load_shared_int(last + 4 * group) == 0) return;
  __threadfence();
  constexpr int batch = pieces < 8 ? pieces : 8;
  constexpr int ahead = pieces < 8 ? 4 : 2;
#pragma unroll 1
  for (int piece = 0; piece < pieces; piece += batch) {
    float total[batch][4] = {};
#pragma unroll ahead
    for (int block = first; block < end; ++block) {
      const float4* part = at(block) + piece * 128;
      float4 each[batch];
#pragma unroll
      for (int i = 0; i < batch; ++i) each[i] = load_scratch(part + i * 128);
#pragma unroll
      for (int i = 0; i < batch; ++i) {
        total[i][0] += each[i].x;
        total[i][1] += each[i].y;
        total[i][2] += each[i].z;
        total[i][3] += each[i].w;
      }
    }
#pragma unroll
    for (int i = 0; i < batch; ++i) store<T>(operands, row, token + 8 * (piece + i), total[i]);
  }
}

__device__ inline float4 load_remote(Address from, int rank) {
  float4 value;
  asm volatile(
      "{\n\t.reg .b32 remote;\n\tmapa.shared::cluster.u32 remote, %4, %5;\n\t"
      "ld.shared::cluster.v4.f32 {%0, %1, %2, %3}, [remote];\n\t}"
      : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
      : "r"(from), "r"(rank)
      : "memory");
  return value;
}

/// Adds the parts that the blocks of a cluster have of a tile. Each leaves its sums in its shared memory,
/// which nothing uses any more, and adds its share of the pieces of four sums.
template <class T, SplitTile tile>
__device__ void join_cluster(const DeviceOperands& operands, const Shares& shares, Address base,
                             const float (&sum)[tile.tokens / 2]) {
  constexpr int threads = tile.threads();
  constexpr int pieces = tile.tokens / 8 * threads;
  const int parts = shares.parts;
  const int index = shares.own / parts;
  const int part = shares.own % parts;
  __syncthreads();  // everything that was requested has arrived and is no longer read
#pragma unroll
  for (int i = 0; i < tile.tokens / 8; ++i)
    hopper::store_shared(base + (i * threads + static_cast<int>(threadIdx.x)) * 16,
                         uint4{__float_as_uint(sum[4 * i]), __float_as_uint(sum[4 * i + 1]),
                               __float_as_uint(sum[4 * i + 2]), __float_as_uint(sum[4 * i + 3])});
  hopper::cluster_sync();
  const int share = (pieces + parts - 1) / parts;
  const int end = min((part + 1) * share, pieces);
#pragma unroll 1
  for (int i = part * share + static_cast<int>(threadIdx.x); i < end; i += threads) {
    float4 each[split_parts_max];
#pragma unroll
    for (int p = 0; p < split_parts_max; ++p)
      if (p < parts) each[p] = load_remote(base + i * 16, p);
    float total[4] = {each[0].x, each[0].y, each[0].z, each[0].w};
#pragma unroll
    for (int p = 1; p < split_parts_max; ++p)
      if (p < parts) {
        total[0] += each[p].x;
        total[1] += each[p].y;
        total[2] += each[p].z;
        total[3] += each[p].w;
      }
    const int thread = i % threads;
    store<T>(operands,
             (index / shares.token_tiles * tile.warps() + thread / 32) * rows_of_block + thread % 32 / 4,
             index % shares.token_tiles * tile.tokens + i / threads * 8 + thread % 4 * 2, total);
  }
  hopper::cluster_sync();
}

}  // namespace adaptive::kernels::mixed_bit_matmul::split
