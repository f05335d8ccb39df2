#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/mixed_bit_matmul/cuda/balanced/kernels.hpp"

// The join of a tile that several blocks of threads have worked on. The block that has the last group of the
// tile adds the sums of the others, in the order of the blocks, so that the result is the same every time.
// The others leave theirs in scratch memory.
//
// A block waits only for blocks of lower numbers, which have begun before it, and those leave their part of
// the tile before they wait for anything: it is the first tile that they work on. So they all finish, however
// few of them run at the same time.

namespace adaptive::kernels::mixed_bit_matmul::balanced {

using hopper::Address;

/// The groups [from, to) of a tile.
struct Segment {
  int row_tile, token_tile;
  int from, to;
};

/// The share of this block of threads. Tiles of the same rows are neighbours, so that their weights are read
/// from memory once.
struct Share {
  BalancedGrid grid;
  int groups, token_tiles;
  int own, begin, end;

  __device__ Share(const BalancedGrid& division, int groups_of_tile, int token_tile_count)
      : grid(division),
        groups(groups_of_tile),
        token_tiles(token_tile_count),
        own(static_cast<int>(blockIdx.x)),
        begin(division.first(own)),
        end(division.first(own + 1)) {}
  __device__ int first_tile() const { return begin / groups; }
  __device__ int last_tile() const { return (end - 1) / groups; }
  __device__ Segment segment(int tile) const {
    return {tile / token_tiles, tile % token_tiles, max(begin - tile * groups, 0),
            min(end - tile * groups, groups)};
  }
};

template <BalancedConfig config>
__device__ float4* part_of(const BalancedScratch& scratch, int block, int group) {
  constexpr int pieces = config.tokens / 8;  // pieces of four sums of a thread
  return scratch.sums + (static_cast<long long>(block) * config.groups() + group) * pieces * 128 +
         static_cast<int>(threadIdx.x) % 128;
}

/// Leaves the sums of a warp group for the block that has the last group of the tile. Each block leaves one
/// part at most.
template <BalancedConfig config>
__device__ void leave(const BalancedScratch& scratch, const Share& share, int tile, int group,
                      const float (&sum)[config.tokens / 2]) {
  float4* const to = part_of<config>(scratch, share.own, group);
#pragma unroll
  for (int i = 0; i < config.tokens / 8; ++i)
    to[i * 128] = {sum[4 * i], sum[4 * i + 1], sum[4 * i + 2], sum[4 * i + 3]};
  __threadfence();
  hopper::group_sync(1 + group);
  if (threadIdx.x % 128 == 0) {
    const int owner = share.grid.owner_of((tile + 1) * share.groups - 1);
    atomicAdd(scratch.counters + owner * config.groups() + group, 1);
  }
}

__device__ inline int load_acquire(const int* from) {
  int value;
  asm volatile("ld.acquire.gpu.global.s32 %0, [%1];" : "=r"(value) : "l"(from) : "memory");
  return value;
}

__device__ inline float4 load_part(const float4* from) {
  float4 value;
  asm volatile("ld.global.cg.v4.f32 {%0, %1, %2, %3}, [%4];"
               : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
               : "l"(from)
               : "memory");
  return value;
}

/// Waits for the parts of the other blocks and adds them to the own sums.
template <BalancedConfig config>
__device__ void add_others(const BalancedScratch& scratch, const Share& share, int tile, int group,
                           float (&sum)[config.tokens / 2]) {
  constexpr int pieces = config.tokens / 8;
  // As many loads on the way as registers allow: their latency is most of the time.
  constexpr int batch_max = config.groups() > 2 ? 8 : 16;
  constexpr int batch = pieces < batch_max ? pieces : batch_max;
  const int first = share.grid.owner_of(tile * share.groups);
  if (threadIdx.x % 128 == 0) {
    int* const counter = scratch.counters + share.own * config.groups() + group;
    while (load_acquire(counter) < share.own - first) {
    }
    *counter = 0;  // for the next launch
  }
  hopper::group_sync(1 + group);
  __threadfence();
#pragma unroll 1
  for (int block = first; block < share.own; ++block) {
    const float4* const from = part_of<config>(scratch, block, group);
#pragma unroll
    for (int piece = 0; piece < pieces; piece += batch) {
      float4 each[batch];
#pragma unroll
      for (int i = 0; i < batch; ++i) each[i] = load_part(from + (piece + i) * 128);
#pragma unroll
      for (int i = 0; i < batch; ++i) {
        sum[4 * (piece + i)] += each[i].x;
        sum[4 * (piece + i) + 1] += each[i].y;
        sum[4 * (piece + i) + 2] += each[i].z;
        sum[4 * (piece + i) + 3] += each[i].w;
      }
    }
  }
}

}  // namespace adaptive::kernels::mixed_bit_matmul::balanced
