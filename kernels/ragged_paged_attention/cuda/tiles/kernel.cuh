#pragma once

#include "kernels/ragged_paged_attention/cuda/softmax.cuh"

// For prompts, on any device from Ampere on, and for caches of float8: each warp computes 16 rows, and the
// warps of a block share the keys and values, which the block copies with cyclic stages of cp.async. Steps
// begin at multiples of their size, so that a row's sums do not depend on the tile that it is in.

namespace adaptive::kernels::ragged_paged_attention {

/// What a kernel needs, as constants.
template <bool float8, int head, std::size_t index>
struct TilesNeeds {
  static constexpr TilesConfig config = tiles_configs[index];
  static constexpr int warps = config.warps;
  static constexpr int height = 16 * warps;
  static constexpr int keys = tiles_keys(config, head);
  static constexpr int stages = config.stages;
  static constexpr int query_bytes = ragged_paged_attention::query_bytes(head, float8 ? 1 : 2);
};

template <bool float8, int head, std::size_t index>
__global__ void __launch_bounds__(32 * TilesNeeds<float8, head, index>::warps)
    attend_tiles(const __grid_constant__ DeviceOperands o, RowRange range, int tiles) {
  using N = TilesNeeds<float8, head, index>;
  using Layout = Stored<float8, head>;
  constexpr int warps = N::warps;
  constexpr int keys = N::keys;
  constexpr int stages = N::stages;
  constexpr int stage_bytes = 2 * keys * Layout::bytes;
  extern __shared__ __align__(128) unsigned char shared[];
  const int kv_head = static_cast<int>(blockIdx.x) % o.kv_heads;
  // The last tiles of a prompt see most positions; the blocks that begin first take them.
  const Tile tile = find_tile<N::height>(o, range, tiles - 1 - static_cast<int>(blockIdx.x) / o.kv_heads);
  if (tile.rows == 0) return;
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = thread / 32;
  const int end_row = tile.row + tile.rows;
  const int begin = first_seen(o, tile.position_of(tile.row, o.group));
  const int end = tile.position_of(end_row - 1, o.group) + 1;

  // Rows of this warp.
  const int row = tile.row + 16 * warp;
  const int own_end = min(end_row, row + 16);
  Queries<float8, head> q;
  q.load(
      o, tile, kv_head, row, own_end,
      static_cast<Address>(__cvta_generic_to_shared(shared)) + stages * stage_bytes + warp * N::query_bytes,
      true);
  Rows<float8, head> rows;
  rows.begin(o, tile, row, own_end);
  const int own_first = tile.position_of(min(row, end_row - 1), o.group);
  const int own_last = tile.position_of(max(own_end, 1) - 1, o.group);
  const int whole_from = first_seen(o, own_last);
  const Scoring scoring(o);

  const Address ring = static_cast<Address>(__cvta_generic_to_shared(shared));
  const int first_step = begin / keys;
  const int steps = (end + keys - 1) / keys - first_step;
  const auto copy = [&](int step) {
    if (step < steps) {
      const Address stage = ring + step % stages * stage_bytes;
      // Each warp copies every `warps`-th group of 16 positions.
#pragma unroll
      for (int i = 0; i < (keys / 16 + warps - 1) / warps; ++i) {
        const int sixteen = i * warps + warp;
        if ((keys / 16) % warps != 0 && sixteen >= keys / 16) break;
        const int position = (first_step + step) * keys + 16 * sixteen;
        copy_sixteen<float8, head, 32>(o, kv_head, page_of(o, tile.sequence, position, begin, end), position,
                                       begin, end, stage + sixteen * 16 * Layout::bytes,
                                       stage + (keys + sixteen * 16) * Layout::bytes, thread % 32);
      }
    }
    commit_copies();
  };
#pragma unroll
  for (int i = 0; i < stages - 1; ++i) copy(i);
  for (int step = 0; step < steps; ++step) {
    wait_for_copies<stages - 2>();
    __syncthreads();
    copy(step + stages - 1);  // into the stage of the step before, which all warps have read
    const int position = (first_step + step) * keys;
    // Steps that none of the warp's rows sees change nothing.
    if (row >= end_row || position > own_last || position + keys <= first_seen(o, own_first)) continue;
    const Address stage = ring + step % stages * stage_bytes;
    const bool whole = position >= whole_from && position + keys <= own_first + 1;
    rows.template attend<keys>(q, stage, stage + keys * Layout::bytes, scoring, position, whole);
  }
  rows.finish();

  float factor[2];
  std::uint16_t* to[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int own = row + thread % 32 / 4 + 8 * half;
    to[half] = nullptr;
    if (own >= own_end) continue;
    factor[half] = final_factor(o, kv_head * o.group + own % o.group, rows.largest[half], rows.total[half]);
    to[half] = o.y + row_at(o, tile, kv_head, own);
  }
  rows.for_each_pair([&](int column, int half, float a, float b) {
    if (to[half] != nullptr)
      *reinterpret_cast<unsigned*>(to[half] + column) = pack_pair(a * factor[half], b * factor[half]);
  });
}

}  // namespace adaptive::kernels::ragged_paged_attention
