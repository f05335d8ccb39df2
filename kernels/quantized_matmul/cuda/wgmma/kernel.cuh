#pragma once

#include <type_traits>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/store_sums.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"

// For many tokens: tiles are loaded by the copy engine and multiplied by wgmma. A block stays resident and
// computes tile after tile. One of its threads keeps a ring of stages filled, ahead of the others and across
// the ends of tiles, while groups of four warps multiply.
//
// The tokens are the first operand (64 at a time), so that a thread has sums of only two tokens: with scales
// by block it needs two of their scales for a segment, and one of the weights. The partial sums of a segment
// are scaled and added to the total in float32. With 128 outputs there are registers for two sets of partial
// sums. With 256 there is one set, for 128 outputs at a time; while one group adds, the other keeps the
// tensor cores busy.
//
// Without scales by block, the groups may take tiles in turn. The ring of stages has the tiles one after the
// other. A group stores its sums while the other one multiplies. A barrier gives it its turn, because the
// parity of a stage's barrier does not tell a fill from the one after the next.
//
// With a cluster, blocks compute neighbouring tokens of the same outputs. Each loads a part of the weights,
// and the copy engine delivers it to all.

namespace adaptive::kernels::quantized_matmul {
namespace wgmma {

using hopper::Address;

template <Types types>
using Sum = std::conditional_t<types == Types::int8_w8a8, int, float>;

template <int tokens, int columns, int stages, int cluster, bool turns>
struct Layout {
  static constexpr WgmmaConfig config = {tokens, columns, stages, cluster, 1, turns};
  static constexpr int groups = config.groups();
  static constexpr int blocks = turns ? tokens / 64 : 1;  // blocks of 64 tokens of a group
  static constexpr int takers = turns ? 1 : groups;       // groups that multiply a stage
  static constexpr int x_bytes = tokens * wgmma_line;
  static constexpr int w_bytes = columns * wgmma_line;
  static constexpr int stage_bytes = x_bytes + w_bytes;
  static constexpr int staging = stages * stage_bytes;
  static constexpr int staging_bytes = wgmma_staging_bytes(config);  // of a warp
  static constexpr int full = staging + 4 * groups * staging_bytes;
  static constexpr int empty = full + 8 * stages;
  static constexpr int turn = empty + 8 * stages;  // of each of two groups
  static_assert(turn + 16 == wgmma_shared_bytes(config));
  static_assert(stage_bytes % 1024 == 0 && x_bytes % 1024 == 0 && w_bytes / cluster % 1024 == 0);
};

/// The tiles of a problem, in the order in which clusters take them: `band` rows of tiles at a time are taken
/// through all columns, so that tiles that run at the same time share their rows and few columns.
struct Tiles {
  int rows, columns, band;  // in tiles of a cluster

  __device__ int count() const { return rows * columns; }
  __device__ int2 find(int at) const {
    const int band_first = at / (band * columns) * band;
    const int height = min(band, rows - band_first);
    const int in_band = at - band_first * columns;
    return {band_first + in_band % height, in_band / height};
  }
};

/// Runs in the thread that loads.
template <class L>
__device__ void load_tiles(Address base, const CUtensorMap* x_map, const CUtensorMap* w_map,
                           const Tiles& tiles, int steps, int rank, int first, int stride) {
  constexpr int cluster = L::config.cluster;
  hopper::Ring ring;
  for (int at = first; at < tiles.count(); at += stride) {
    const int2 tile = tiles.find(at);
    const int row = (tile.x * cluster + rank) * L::config.tokens;
    const int column = tile.y * L::config.columns;
    for (int step = 0; step < steps; ++step) {
      const Address full = base + L::full + 8 * ring.stage;
      const Address stage = base + ring.stage * L::stage_bytes;
      hopper::barrier_wait(base + L::empty + 8 * ring.stage, ring.parity ^ 1);
      hopper::barrier_expect(full, L::stage_bytes);
      hopper::copy_box(stage, x_map, step * wgmma_line, row, full);
      if constexpr (cluster == 1)
        hopper::copy_box(stage + L::x_bytes, w_map, step * wgmma_line, column, full);
      else
        hopper::copy_box_to_all(stage + L::x_bytes + rank * (L::w_bytes / cluster), w_map, step * wgmma_line,
                                column + rank * (L::config.columns / cluster), full, (1 << cluster) - 1);
      ring.advance(L::config.stages);
    }
  }
}

/// This warp no longer needs the stage.
template <class L>
__device__ void release(Address empty) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  if constexpr (L::config.cluster == 1) {
    if (lane == 0) hopper::barrier_arrive(empty);
  } else {
    if (lane < L::config.cluster) hopper::barrier_arrive_remote(empty, lane);
  }
}

/// The scales of a segment: those of a thread's two tokens, and of each block of 128 outputs.
template <int halves>
struct ScaleOf {
  float token[2];
  float segment[halves];
};

__device__ inline void store_shared_float(Address to, float value) {
  asm volatile("st.shared.f32 [%0], %1;" ::"r"(to), "f"(value) : "memory");
}

__device__ inline float2 load_shared_floats(Address from) {
  const uint2 bits = hopper::load_shared_two(from);
  return {__uint_as_float(bits.x), __uint_as_float(bits.y)};
}

/// Multiplies the tiles of a group of four warps.
template <class L, Types types, bool by_block>
class Multiplier {
 public:
  static constexpr int columns = L::config.columns;
  static constexpr int count = columns / 2;  // sums of a thread for 64 tokens
  static constexpr int width = by_block ? static_cast<int>(block_columns) : columns;
  static constexpr int halves = columns / width;
  using Sum = wgmma::Sum<types>;
  using ScaleOf = wgmma::ScaleOf<halves>;

  __device__ Multiplier(const DeviceOperands& o, Address base, int group, int steps)
      : o_(o),
        base_(base),
        steps_(steps),
        group_(group),
        warp_(static_cast<int>(threadIdx.x) / 32),
        lane_(static_cast<int>(threadIdx.x) % 32) {
    buffer_ = base + L::staging + warp_ * L::staging_bytes;
    scales_ = buffer_ + 16 * 128;
  }

  /// Waits for the group's turn to multiply tile number `tile` of this block, and goes to the stages of the
  /// tile.
  __device__ void take_turn(int tile) {
    // The groups take tiles 0, 2, … and 1, 3, …; the other group has finished one less, or as many.
    const int finished = group_ == 0 ? tile / 2 : tile / 2 + 1;
    if (finished > 0) hopper::barrier_wait(base_ + L::turn + 8 * group_, (finished - 1) % 2);
    ring_.stage = tile * steps_ % L::config.stages;
    ring_.parity = tile * steps_ / L::config.stages % 2;
  }

  __device__ void run(int row0, int column0) {
    row_ = row0 + (L::config.turns ? 0 : group_ * 64) + warp_ % 4 * 16;
    column_ = column0;
    if constexpr (by_block) {
      float total[count] = {};
      if constexpr (halves == 1 && L::groups > 1)
        multiply_pairs(total);
      else
        multiply_halves(total);
      store(total, 0);
    } else {
      // The scales are on the way while the tile is multiplied.
      float column_scale[columns / 32];
      const bool tensor = o_.scales == Scales::tensor;
#pragma unroll
      for (int i = 0; i < columns / 32; ++i)
        column_scale[i] =
            __ldg(o_.w_scales + (tensor ? 0 : min(column_ + i * 32 + lane_, o_.out_features - 1)));
#pragma unroll
      for (int i = 0; i < 2 * L::blocks; ++i)
        token_scale_[i] =
            __ldg(o_.x_scales + (tensor ? 0 : min(row_ + i / 2 * 64 + lane_ / 4 + i % 2 * 8, o_.tokens - 1)));
      Sum sum[L::blocks][count] = {};
      multiply(sum);
#pragma unroll
      for (int i = 0; i < columns / 32; ++i)
        store_shared_float(scales_ + (i * 32 + lane_) * 4, column_scale[i]);
#pragma unroll
      for (int block = 0; block < L::blocks; ++block) store(sum[block], block);
    }
  }

 private:
  /// Multiplies a block of 64 tokens of a stage by the outputs from `first` on.
  template <int width>
  __device__ void enqueue(Sum (&sum)[width / 2], int block, int first, int into, int add) const {
    const Address stage = base_ + ring_.stage * L::stage_bytes;
    const std::uint64_t x_at =
        hopper::describe(stage + ((L::config.turns ? 0 : group_) + block) * 64 * wgmma_line);
    const std::uint64_t w_at = hopper::describe(stage + L::x_bytes + first * wgmma_line);
    hopper::MultiplyLevels<Sum, width>::run(sum, x_at + hopper::steps_of(into), w_at + hopper::steps_of(into),
                                            add);
  }

  __device__ void multiply(Sum (&sum)[L::blocks][count]) {
    Address before = 0;
#pragma unroll
    for (int block = 0; block < L::blocks; ++block) hopper::pin(sum[block]);
#pragma unroll 1
    for (int step = 0; step < steps_; ++step) {
      hopper::barrier_wait(base_ + L::full + 8 * ring_.stage, ring_.parity);
      hopper::wgmma_fence();
#pragma unroll
      for (int into = 0; into < wgmma_line; into += 32)
#pragma unroll
        for (int block = 0; block < L::blocks; ++block) enqueue<columns>(sum[block], block, 0, into, 1);
      hopper::wgmma_commit();
      if (step > 0) {
        hopper::wgmma_wait<1>();
        release<L>(before);
      }
      before = base_ + L::empty + 8 * ring_.stage;
      ring_.advance(L::config.stages);
    }
    // All stages of the tile have arrived.
    if constexpr (L::config.turns)
      if (lane_ == 0) hopper::barrier_arrive(base_ + L::turn + 8 * (group_ ^ 1));
    hopper::wgmma_wait<0>();
#pragma unroll
    for (int block = 0; block < L::blocks; ++block) hopper::pin(sum[block]);
    release<L>(before);
  }

  __device__ ScaleOf scales_of(int segment) const {
    ScaleOf of;
    const float* x = o_.x_scales + static_cast<long long>(segment) * o_.tokens;
#pragma unroll
    for (int i = 0; i < 2; ++i) of.token[i] = __ldg(x + min(row_ + lane_ / 4 + 8 * i, o_.tokens - 1));
    // The last block of 128 outputs may be missing.
    const int last = (o_.out_features - 1) / width;
#pragma unroll
    for (int half = 0; half < halves; ++half)
      of.segment[half] =
          __ldg(o_.w_scales + static_cast<long long>(min(column_ / width + half, last)) * o_.w_scale_stride +
                segment);
    return of;
  }

  __device__ static void add_scaled(float* total, const Sum (&sum)[width / 2], const ScaleOf& scales,
                                    int half) {
    const float scale[2] = {scales.token[0] * scales.segment[half], scales.token[1] * scales.segment[half]};
#pragma unroll
    for (int i = 0; i < width / 2; ++i)
      total[i] = fmaf(static_cast<float>(sum[i]), scale[i / 2 % 2], total[i]);
  }

  /// Enqueues the partial sums of the current stage for `width` outputs.
  __device__ void enqueue_segment(Sum (&sum)[width / 2], int first) const {
    hopper::wgmma_fence();
#pragma unroll
    for (int into = 0; into < wgmma_line; into += 32) enqueue<width>(sum, 0, first, into, into == 0 ? 0 : 1);
    hopper::wgmma_commit();
  }

  /// With one set of partial sums.
  __device__ void multiply_halves(float (&total)[count]) {
    Sum sum[width / 2] = {};
    ScaleOf next = scales_of(0);
#pragma unroll 1
    for (int step = 0; step < steps_; ++step) {
      const ScaleOf now = next;
      hopper::barrier_wait(base_ + L::full + 8 * ring_.stage, ring_.parity);
#pragma unroll
      for (int half = 0; half < halves; ++half) {
        enqueue_segment(sum, half * width);
        if (half == 0 && step + 1 < steps_) next = scales_of(step + 1);
        hopper::wgmma_wait<0>();
        hopper::pin(sum);
        if (half == halves - 1) release<L>(base_ + L::empty + 8 * ring_.stage);
        add_scaled(total + half * width / 2, sum, now, half);
      }
      ring_.advance(L::config.stages);
    }
  }

  /// Enqueues a segment with a set of partial sums of its own. Returns its barrier.
  __device__ Address begin(Sum (&sum)[width / 2]) {
    hopper::barrier_wait(base_ + L::full + 8 * ring_.stage, ring_.parity);
    enqueue_segment(sum, 0);
    const Address empty = base_ + L::empty + 8 * ring_.stage;
    ring_.advance(L::config.stages);
    return empty;
  }

  /// Adds a segment when at most `pending` later ones are still being multiplied.
  template <int pending>
  __device__ void end(Sum (&sum)[width / 2], const ScaleOf& scales, Address empty, float (&total)[count]) {
    hopper::wgmma_wait<pending>();
    hopper::pin(sum);
    release<L>(empty);
    add_scaled(total, sum, scales, 0);
  }

  /// With two sets of partial sums, so that half of the additions overlap with a product of the same group.
  /// (The assembler gives up asynchrony if a product begins in one iteration and ends in the next.) Scales
  /// are loaded an iteration ahead.
  __device__ void multiply_pairs(float (&total)[count]) {
    Sum even[width / 2] = {}, odd[width / 2] = {};
    ScaleOf next_even = scales_of(0);
    ScaleOf next_odd = scales_of(min(1, steps_ - 1));
    int step = 0;
#pragma unroll 1
    for (; step + 1 < steps_; step += 2) {
      const ScaleOf of_even = next_even, of_odd = next_odd;
      const Address empty_even = begin(even);
      const Address empty_odd = begin(odd);
      next_even = scales_of(min(step + 2, steps_ - 1));
      next_odd = scales_of(min(step + 3, steps_ - 1));
      end<1>(even, of_even, empty_even, total);
      end<0>(odd, of_odd, empty_odd, total);
    }
    if (step < steps_) {
      const Address empty = begin(even);
      end<0>(even, next_even, empty, total);
    }
  }

  /// Stores the sums of a warp's 16 tokens of a block of 64, scaled unless that has been done, through shared
  /// memory, 64 outputs at a time.
  template <class T>
  __device__ void store(const T (&sum)[count], int block) const {
    constexpr int line_bytes = 128;
    auto* const y = static_cast<__nv_bfloat16*>(o_.y);
    const int first_token = row_ + block * 64;
#pragma unroll
    for (int first = 0; first < columns; first += 64) {
      __syncwarp();  // the scales have been written, and the buffer has been read
#pragma unroll
      for (int into = 0; into < 64; into += 16) {
        unsigned packed[4];  // [8 outputs][8 tokens]
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int column = first + into + half * 8;
          const T* from = sum + column / 2;
          float2 scale = {1, 1};
          if constexpr (!by_block) scale = load_shared_floats(scales_ + (column + lane_ % 4 * 2) * 4);
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            const float token = by_block ? 1.0f : token_scale_[2 * block + i];
            packed[half * 2 + i] =
                hopper::pack<__nv_bfloat16>(static_cast<float>(from[2 * i]) * (token * scale.x),
                                            static_cast<float>(from[2 * i + 1]) * (token * scale.y));
          }
        }
        const int to_row = lane_ / 8 % 2 * 8 + lane_ % 8;
        const int to_piece = into / 8 + lane_ / 16;
        hopper::store_matrices(buffer_ + to_row * line_bytes + (to_piece ^ to_row % 8) * 16, packed[0],
                               packed[1], packed[2], packed[3]);
      }
      __syncwarp();
      const int piece = lane_ % 8;
#pragma unroll
      for (int rows = 0; rows < 16; rows += 4) {
        const int row = rows + lane_ / 8;
        const int column = column_ + first + 8 * piece;
        if (first_token + row < o_.tokens && column < o_.out_features)
          *reinterpret_cast<uint4*>(y + static_cast<long long>(first_token + row) * o_.out_features +
                                    column) =
              hopper::load_shared(buffer_ + row * line_bytes + (piece ^ row % 8) * 16);
      }
    }
  }

  const DeviceOperands& o_;
  Address base_, buffer_, scales_;
  int steps_, group_, warp_, lane_;
  int row_ = 0, column_ = 0;  // the first of this warp's tile
  float token_scale_[2 * L::blocks];
  hopper::Ring ring_;
};

}  // namespace wgmma

template <Types types, bool by_block, int tokens, int columns, int stages, int cluster, bool turns>
__global__ void __launch_bounds__(WgmmaConfig{tokens, columns, stages, cluster, 1, turns}.threads(), 1)
    multiply_wgmma(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap w_map,
                   const __grid_constant__ DeviceOperands o, int band) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using L = wgmma::Layout<tokens, columns, stages, cluster, turns>;
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  constexpr int loader = 4 * L::groups;
  if (warp == loader && lane == 0) {
    hopper::prefetch_map(&x_map);
    hopper::prefetch_map(&w_map);
    for (int stage = 0; stage < stages; ++stage) {
      hopper::barrier_init(base + L::full + 8 * stage, 1);
      hopper::barrier_init(base + L::empty + 8 * stage, 4 * L::takers * cluster);
    }
    for (int group = 0; group < 2; ++group) hopper::barrier_init(base + L::turn + 8 * group, 4);
    hopper::fence_barrier_init();
  }
  if constexpr (cluster == 1)
    __syncthreads();
  else
    hopper::cluster_sync();

  const int rank = static_cast<int>(blockIdx.x) % cluster;
  const int first = static_cast<int>(blockIdx.x) / cluster;
  const int stride = static_cast<int>(gridDim.x) / cluster;
  constexpr int rows = tokens * cluster;
  const wgmma::Tiles tiles = {(o.tokens + rows - 1) / rows, (o.out_features + columns - 1) / columns, band};
  const int steps = (o.in_features + wgmma_line - 1) / wgmma_line;
  if (warp >= loader) {
    hopper::give_registers<40>();
    if (warp == loader && lane == 0)
      wgmma::load_tiles<L>(base, &x_map, &w_map, tiles, steps, rank, first, stride);
  } else {
    hopper::take_registers<232>();
    const int group = warp / 4;
    wgmma::Multiplier<L, types, by_block> multiplier(o, base, group, steps);
    constexpr int turn = turns ? L::groups : 1;
    int number = turns ? group : 0;  // of this block's tiles
    for (int at = first + number * stride; at < tiles.count(); at += turn * stride, number += turn) {
      const int2 tile = tiles.find(at);
      if constexpr (turns) multiplier.take_turn(number);
      multiplier.run((tile.x * cluster + rank) * tokens, tile.y * columns);
    }
  }
  // No block may exit while another one may still write to its memory or arrive at its barriers.
  if constexpr (cluster > 1) {
    __syncwarp();
    hopper::cluster_sync();
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::quantized_matmul
