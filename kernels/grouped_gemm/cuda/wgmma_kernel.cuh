#pragma once

#include <type_traits>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/grouped_gemm/cuda/outputs.cuh"
#include "kernels/grouped_gemm/cuda/schedule.cuh"

// Tiles are loaded by the copy engine and multiplied by wgmma. A block stays resident and computes tile after
// tile. One of its threads keeps a ring of stages filled, ahead of the others and across the ends of tiles,
// while groups of four warps multiply.
//
// The weights are the first operand (64 outputs per group), the rows the second. The instruction then
// determines how many rows are multiplied, in steps of 64 (or one smaller tile), so that the last tile of an
// expert costs only the rows that it has. Boxes beyond these rows are not loaded. A box may include rows of
// the next expert; their sums are not stored.
//
// With `split`, the two blocks of a cluster compute neighbouring columns of the same rows. Each loads half of
// the rows, and the copy engine delivers them to both.
//
// If the launch overlaps with the kernel before it, the weights of the first stages are loaded while that
// kernel still runs.

namespace adaptive::kernels::grouped_gemm {

namespace wgmma {

using hopper::Address;

constexpr int line = 64;  // elements of a row of a box: 128 bytes
constexpr int line_bytes = 128;

template <Config config>
struct Layout {
  static constexpr int slabs = config.depth / line;
  static constexpr int w_bytes = config.columns * line_bytes;  // bytes of a slab
  static constexpr int x_bytes = config.rows * line_bytes;
  static constexpr int box = box_rows(config);
  static constexpr int box_bytes = box * line_bytes;
  static constexpr int stage_bytes = slabs * (w_bytes + x_bytes);
  static constexpr int groups = wgmma_groups(config);
  static constexpr int blocks = config.columns / (64 * groups);  // blocks of 64 outputs of a group
  static constexpr int staging_bytes = box_bytes;  // bytes of one of a group's two staging buffers
  static constexpr int staging = config.stages * stage_bytes;
  static constexpr int schedule = staging + 2 * groups * staging_bytes;
  static constexpr int full = schedule + schedule_bytes;
  static constexpr int empty = full + 8 * config.stages;
  static constexpr int tile_full = empty + 8 * config.stages;
  static constexpr int tile_empty = tile_full + 8 * tiles_ahead;
  static constexpr int tile = tile_empty + 8 * tiles_ahead;
  static_assert(tile + 4 * tiles_ahead == shared_bytes(config));
  static_assert(stage_bytes % 1024 == 0 && x_bytes % 1024 == 0 && w_bytes % 1024 == 0);
};

/// Gives out tiles. The first tile of a cluster is the cluster's own number. Further tiles are taken from a
/// counter in memory when they are needed, so that blocks stay close together although tiles take different
/// times; the operands that they share are then still in the second-level cache. The loading thread of the
/// first block takes the tiles for the whole cluster and passes them on through shared memory.
template <Config config>
class TileQueue {
 public:
  __device__ explicit TileQueue(Address base) : base_(base) {}

  /// Called by the loading thread of the first block.
  __device__ void give(int tile) {
    using L = Layout<config>;
    hopper::barrier_wait(base_ + L::tile_empty + 8 * ring_.stage, ring_.parity ^ 1);
    const Address to = base_ + L::tile + 4 * ring_.stage;
    const Address full = base_ + L::tile_full + 8 * ring_.stage;
    if constexpr (config.split == 1) {
      hopper::store_shared(to, tile);
      hopper::barrier_arrive(full);
    } else {
      for (int rank = 0; rank < config.split; ++rank) hopper::send_remote(to, tile, full, rank);
    }
    ring_.advance(tiles_ahead);
  }

  /// Called by all other users: single threads, or whole warps, in which one thread reads and arrives.
  template <bool whole_warp>
  __device__ int take() {
    using L = Layout<config>;
    const Address full = base_ + L::tile_full + 8 * ring_.stage;
    if constexpr (config.split == 1)
      hopper::barrier_wait(full, ring_.parity);
    else
      hopper::barrier_wait_remote(full, ring_.parity);
    const Address empty = base_ + L::tile_empty + 8 * ring_.stage;
    int tile = 0;
    if (!whole_warp || threadIdx.x % 32 == 0) {
      tile = hopper::load_shared_int(base_ + L::tile + 4 * ring_.stage);
      if constexpr (config.split == 1)
        hopper::barrier_arrive(empty);
      else
        hopper::barrier_arrive_remote(empty, 0);
    }
    if constexpr (whole_warp) tile = __shfl_sync(0xFFFFFFFFu, tile, 0);
    ring_.advance(tiles_ahead);
    return tile;
  }

  /// Number of calls of take() for each tile of the first block: the warps that multiply, and the other
  /// loading threads.
  static constexpr int takers = 4 * Layout<config>::groups * config.split + config.split - 1;

 private:
  Address base_;
  hopper::Ring ring_;
};

/// Runs in the thread that loads: loads every stage of every tile of this block.
template <Config config, class Outputs>
__device__ void load_tiles(const Schedule& schedule, Address base, const CUtensorMap* x_map,
                           const CUtensorMap* w_map, int column_tiles, int steps, int rank, int first,
                           int stride, int* counter, bool overlaps) {
  using L = Layout<config>;
  const int tiles = row_tiles_of(schedule) * column_tiles;
  Cursor<config.rows> cursor;
  hopper::Ring ring;
  TileQueue<config> queue(base);
  int next = first;
  // Number of steps of the next tile whose weights are loaded before the kernel ahead of this one ends.
  int early = overlaps && !Outputs::waits_first ? min(config.stages, steps) : 0;
  while (true) {
    int at = next;
    if (rank == 0)
      queue.give(at);
    else
      at = queue.template take<false>();
    if (at >= tiles) break;
    const Tile tile = cursor.find(schedule, at, column_tiles, config.band);
    const int column0 = (tile.column_tile * config.split + rank) * config.columns;
    const int boxes = (tile.rows + L::box - 1) / L::box;
    const int bytes = L::slabs * (L::w_bytes + boxes * L::box_bytes);
    const auto load_weights = [&](int step, const hopper::Ring& place) {
      const Address full = base + L::full + 8 * place.stage;
      hopper::barrier_wait(base + L::empty + 8 * place.stage, place.parity ^ 1);
      hopper::barrier_expect(full, bytes);
      const Address stage = base + place.stage * L::stage_bytes;
#pragma unroll
      for (int slab = 0; slab < L::slabs; ++slab)
        Outputs::copy_weights(stage + slab * L::w_bytes, w_map, (step * L::slabs + slab) * line, column0,
                              tile.expert, full);
    };
    const auto load_rows = [&](int step, const hopper::Ring& place) {
      // The next tile is taken only when it is needed, so that a late block does not take the tile after the
      // current one as well.
      if (rank == 0 && step == max(steps - 2, 0)) next = stride + atomicAdd(counter, 1);
      const Address full = base + L::full + 8 * place.stage;
      const Address stage = base + place.stage * L::stage_bytes;
#pragma unroll
      for (int slab = 0; slab < L::slabs; ++slab) {
        const int depth = (step * L::slabs + slab) * line;
        const Address x_to = stage + L::slabs * L::w_bytes + slab * L::x_bytes;
        for (int i = config.split == 1 ? 0 : rank; i < boxes; i += config.split) {
          const int row = tile.row + i * L::box;
          if constexpr (config.split == 1)
            hopper::copy_box(x_to + i * L::box_bytes, x_map, depth, row, full);
          else
            hopper::copy_box_to_all(x_to + i * L::box_bytes, x_map, depth, row, full,
                                    (1 << config.split) - 1);
        }
      }
    };
    if constexpr (!Outputs::waits_first) {
      if (early > 0) {
        hopper::Ring place = ring;
        for (int step = 0; step < early; ++step) {
          load_weights(step, place);
          place.advance(config.stages);
        }
        cuda::wait_for_previous();
        cuda::let_next_begin();
      }
    }
    for (int step = 0; step < steps; ++step) {
      if (step >= early) load_weights(step, ring);
      load_rows(step, ring);
      ring.advance(config.stages);
    }
    early = 0;
  }
  cuda::wait_for_previous();  // blocks without a tile have not waited yet
}

/// The last block to finish resets the counters for the next launch.
__device__ inline void leave(int* counter) {
  __threadfence();
  if (atomicAdd(counter + 1, 1) != static_cast<int>(gridDim.x) - 1) return;
  counter[0] = 0;
  counter[1] = 0;
}

/// This warp no longer needs the stage.
template <Config config>
__device__ void release(Address empty) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if constexpr (config.split == 1) {
    if (lane == 0) hopper::barrier_arrive(empty);
  } else {
    if (lane < config.split) hopper::barrier_arrive_remote(empty, lane);
  }
}

/// Computes one tile, multiplying `tokens` rows.
template <class T, Config config, int tokens, class Outputs>
__device__ void multiply_tile(Address base, hopper::Ring& ring, int steps, T* y, const Tile& tile,
                              int column0, int n, int group, int& turn, const Outputs& outputs) {
  using L = Layout<config>;
  float sum[L::blocks][tokens / 2] = {};
  Address before = 0;
#pragma unroll 1
  for (int step = 0; step < steps; ++step) {
    const Address stage = base + ring.stage * L::stage_bytes;
    hopper::barrier_wait(base + L::full + 8 * ring.stage, ring.parity);
    const std::uint64_t w_at = hopper::describe(stage + group * L::blocks * 64 * line_bytes);
    const std::uint64_t x_at = hopper::describe(stage + L::slabs * L::w_bytes);
    hopper::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < config.depth / 16; ++k16) {
      const int slab = k16 / 4;
      const int into = k16 % 4 * 32;
#pragma unroll
      for (int block = 0; block < L::blocks; ++block)
        hopper::Multiply<T, tokens>::run(
            sum[block], w_at + hopper::steps_of(slab * L::w_bytes + block * 64 * line_bytes + into),
            x_at + hopper::steps_of(slab * L::x_bytes + into), 1);
    }
    hopper::wgmma_commit();
    if (step > 0) {
      hopper::wgmma_wait<1>();
      release<config>(before);
    }
    before = base + L::empty + 8 * ring.stage;
    ring.advance(config.stages);
  }
  hopper::wgmma_wait<0>();
#pragma unroll
  for (int block = 0; block < L::blocks; ++block) hopper::pin(sum[block]);
  release<config>(before);
  const Address staging = base + L::staging + 2 * group * L::staging_bytes;
#pragma unroll
  for (int block = 0; block < L::blocks; ++block) {
    const int column = column0 + (group * L::blocks + block) * 64;
    outputs.template store<T, tokens, L::box>(sum[block], staging, y, tile.row, tile.rows, column, n, group,
                                              turn);
  }
}

/// Chooses the first of the instructions with `tokens` rows, 64 more, … that covers the tile.
template <class T, Config config, int tokens, class Outputs>
__device__ void multiply_rows(Address base, hopper::Ring& ring, int steps, T* y, const Tile& tile,
                              int column0, int n, int group, int& turn, const Outputs& outputs) {
  if constexpr (tokens < config.rows) {
    if (tile.rows > tokens)
      multiply_rows<T, config, tokens + 64>(base, ring, steps, y, tile, column0, n, group, turn, outputs);
    else
      multiply_tile<T, config, tokens>(base, ring, steps, y, tile, column0, n, group, turn, outputs);
  } else {
    static_assert(tokens == config.rows);
    multiply_tile<T, config, tokens>(base, ring, steps, y, tile, column0, n, group, turn, outputs);
  }
}

template <class T, Config config, class Outputs>
__device__ void multiply_tiles(const Schedule& schedule, Address base, T* y, int column_tiles, int steps,
                               int n, int rank, int group, const Outputs& outputs) {
  const int tiles = row_tiles_of(schedule) * column_tiles;
  Cursor<config.rows> cursor;
  hopper::Ring ring;
  TileQueue<config> queue(base);
  int turn = 0;
  while (true) {
    const int at = queue.template take<true>();
    if (at >= tiles) break;
    const Tile tile = cursor.find(schedule, at, column_tiles, config.band);
    const int column0 = (tile.column_tile * config.split + rank) * config.columns;
    multiply_rows<T, config, Layout<config>::box>(base, ring, steps, y, tile, column0, n, group, turn,
                                                  outputs);
  }
}

}  // namespace wgmma

template <class T, std::size_t index, class Outputs>
__global__ void __launch_bounds__(Needs<wgmma_configs, index>::threads, wgmma_configs[index].blocks)
    grouped_wgmma(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap w_map,
                  T* __restrict__ y, const int* __restrict__ ends, int* __restrict__ counter, int n, int k,
                  int experts, Outputs outputs) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using N = Needs<wgmma_configs, index>;
  constexpr Config config = N::config;
  using L = wgmma::Layout<config>;
  extern __shared__ __align__(1024) unsigned char shared[];
  auto& schedule = *reinterpret_cast<Schedule*>(shared + L::schedule);
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  constexpr int first_loader = 4 * L::groups;

  if constexpr (Outputs::waits_first) {
    cuda::wait_for_previous();
    cuda::let_next_begin();
  }
  if (warp == 0) make_schedule<config.rows>(schedule, ends, experts);
  if (warp == first_loader && lane == 0) {
    hopper::prefetch_map(&x_map);
    hopper::prefetch_map(&w_map);
    for (int stage = 0; stage < config.stages; ++stage) {
      hopper::barrier_init(base + L::full + 8 * stage, 1);
      hopper::barrier_init(base + L::empty + 8 * stage, 4 * L::groups * config.split);
    }
    for (int tile = 0; tile < tiles_ahead; ++tile) {
      hopper::barrier_init(base + L::tile_full + 8 * tile, 1);
      hopper::barrier_init(base + L::tile_empty + 8 * tile, wgmma::TileQueue<config>::takers);
    }
    hopper::fence_barrier_init();
  }
  if constexpr (config.split == 1)
    __syncthreads();
  else
    hopper::cluster_sync();

  const int rank = static_cast<int>(blockIdx.x) % config.split;
  const int first = static_cast<int>(blockIdx.x) / config.split;
  const int stride = static_cast<int>(gridDim.x) / config.split;
  constexpr int columns = config.columns * config.split;
  const int column_tiles = (n + columns - 1) / columns;
  const int steps = (k + config.depth - 1) / config.depth;
  if (warp >= first_loader) {
    if constexpr (N::donates) hopper::give_registers<56>();
    if (warp == first_loader && lane == 0) {
      wgmma::load_tiles<config, Outputs>(schedule, base, &x_map, &w_map, column_tiles, steps, rank, first,
                                         stride, counter, outputs.overlaps);
      wgmma::leave(counter);
    }
  } else {
    if constexpr (N::donates) hopper::take_registers<224>();
    wgmma::multiply_tiles<T, config>(schedule, base, y, column_tiles, steps, n, rank, warp / 4, outputs);
  }
  // No block may exit while another one may still write to its memory or arrive at its barriers.
  if constexpr (config.split > 1) {
    __syncwarp();
    hopper::cluster_sync();
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::grouped_gemm
