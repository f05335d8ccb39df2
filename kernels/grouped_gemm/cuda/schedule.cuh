#pragma once

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/grouped_gemm/cuda/config.hpp"

// Finds which tile a block computes. This happens on the device, because only the device knows the routing.
// In every block one warp computes the whole schedule from two cache lines while the other warps start.

namespace adaptive::kernels::grouped_gemm {

struct Schedule {
  int tile_end[experts_max];  // number of row tiles of this expert and all before it
  int row_end[experts_max];   // number of rows of this expert and all before it
};

struct Tile {
  int expert, row, rows, column_tile;  // rows: those of the expert from `row` on, at most a tile
};

/// Must be called by all lanes of one warp; `ends` is described in DeviceOperands.
template <int row_tile>
__device__ void make_schedule(Schedule& schedule, const int* ends, int experts) {
  constexpr int each = experts_max / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  int end[each];
#pragma unroll
  for (int i = 0; i < each; ++i) end[i] = cuda::load_fresh(ends + min(lane * each + i, experts - 1));
  int before = __shfl_up_sync(0xFFFFFFFFu, end[each - 1], 1);
  if (lane == 0) before = 0;
  int tiles[each];
  int sum = 0;
#pragma unroll
  for (int i = 0; i < each; ++i) {
    sum += (end[i] - before + row_tile - 1) / row_tile;
    before = end[i];
    tiles[i] = sum;
  }
  int above = sum;
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const int other = __shfl_up_sync(0xFFFFFFFFu, above, distance);
    if (lane >= distance) above += other;
  }
#pragma unroll
  for (int i = 0; i < each; ++i) {
    schedule.tile_end[lane * each + i] = above - sum + tiles[i];
    schedule.row_end[lane * each + i] = end[i];
  }
}

__device__ inline int row_tiles_of(const Schedule& schedule) {
  return schedule.tile_end[experts_max - 1];
}

/// Finds tiles. It must be asked for tiles in ascending order, so that it passes each expert once.
template <int row_tile>
class Cursor {
 public:
  /// Returns tile `at` of row tiles × `column_tiles`. Of each expert, `band` row tiles at a time are taken
  /// through all columns, so that tiles that run at the same time share their rows and few columns.
  __device__ Tile find(const Schedule& schedule, int at, int column_tiles, int band) {
    const int slot = at / column_tiles;
    while (slot >= schedule.tile_end[expert_]) ++expert_;
    const int first_slot = expert_ == 0 ? 0 : schedule.tile_end[expert_ - 1];
    const int first_row = expert_ == 0 ? 0 : schedule.row_end[expert_ - 1];
    const int within = at - first_slot * column_tiles;
    const int band_tiles = band * column_tiles;
    const int band_first = within / band_tiles * band;
    const int height = min(band, schedule.tile_end[expert_] - first_slot - band_first);
    const int in_band = within - band_first * column_tiles;
    const int row = first_row + (band_first + in_band % height) * row_tile;
    return {expert_, row, min(row_tile, schedule.row_end[expert_] - row), in_band / height};
  }

 private:
  int expert_ = 0;
};

}  // namespace adaptive::kernels::grouped_gemm
