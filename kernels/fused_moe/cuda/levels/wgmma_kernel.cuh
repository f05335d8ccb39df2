#pragma once

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/store_sums.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/fused_moe/cuda/activation.cuh"
#include "kernels/fused_moe/cuda/added.cuh"
#include "kernels/fused_moe/cuda/gated.cuh"
#include "kernels/fused_moe/cuda/levels/config.hpp"
#include "kernels/fused_moe/cuda/levels/kernels.hpp"
#include "kernels/grouped_gemm/cuda/schedule.cuh"

// float8 with scales of blocks, for many rows of an expert: the kernel of quantized_matmul for such scales on
// tiles of an expert's rows. The rows are sorted by expert.
//
// The rows are the first operand (64 at a time), so that a thread has sums of only two rows: of a segment it
// needs two scales of rows and one of the weights, or one of gate and one of up. The partial sums of a
// segment are scaled and added to the total in float32.
//
// For gate and up the columns of a tile alternate between eight of gate and the eight of up for the same
// columns of h. A thread then has both numbers that the activation needs. A tile has 128 columns of h, so
// that the epilogue can quantise them: four lanes have all numbers that share a scale.

namespace adaptive::kernels::fused_moe::levels {
namespace wgmma {

using hopper::Address;

constexpr int line = 128;  ///< elements, and bytes, of a row of a stage

template <int rows, int columns, int stages>
struct Layout {
  static constexpr WgmmaConfig config = {rows, columns, stages, 1};
  static constexpr int groups = rows / 64;
  static constexpr int x_bytes = rows * line;
  static constexpr int w_bytes = columns * line;
  static constexpr int stage_bytes = x_bytes + w_bytes;
  static constexpr int staging = stages * stage_bytes;  // of 16 rows of 128 bytes for each warp
  static constexpr int schedule = staging + 4 * groups * 16 * line;
  static constexpr int full = schedule + grouped_gemm::schedule_bytes;
  static constexpr int empty = full + 8 * stages;
  static_assert(empty + 8 * stages == wgmma_shared_bytes(config));
  static_assert(stage_bytes % 1024 == 0 && x_bytes % 1024 == 0);
};

/// Runs in the thread that loads.
template <class L, Result result>
__device__ void load_tiles(const grouped_gemm::Schedule& schedule, Address base, const CUtensorMap* x_map,
                           const CUtensorMap* w_map, const ProductOperands& o, int column_tiles, int steps) {
  grouped_gemm::Cursor<L::config.rows> cursor;
  hopper::Ring ring;
  const int tiles = grouped_gemm::row_tiles_of(schedule) * column_tiles;
  for (int at = static_cast<int>(blockIdx.x); at < tiles; at += static_cast<int>(gridDim.x)) {
    const grouped_gemm::Tile tile = cursor.find(schedule, at, column_tiles, L::config.band);
    const int column = tile.column_tile * L::config.columns;
    const int boxes = (tile.rows + 63) / 64;
    for (int step = 0; step < steps; ++step) {
      const Address full = base + L::full + 8 * ring.stage;
      const Address stage = base + ring.stage * L::stage_bytes;
      hopper::barrier_wait(base + L::empty + 8 * ring.stage, ring.parity ^ 1);
      hopper::barrier_expect(full, L::w_bytes + boxes * 64 * line);
      if constexpr (result == Result::gated)
        copy_interleaved_box(stage + L::x_bytes, w_map, step * line, column / 16, tile.expert, full);
      else
        hopper::copy_box(stage + L::x_bytes, w_map, step * line, tile.expert * o.n + column, full);
      for (int box = 0; box < boxes; ++box)
        hopper::copy_box(stage + box * 64 * line, x_map, step * line, tile.row + box * 64, full);
      ring.advance(L::config.stages);
    }
  }
}

/// Multiplies the tiles of a group of four warps, which has 64 rows of each.
template <class L, Result result>
class Multiplier {
 public:
  static constexpr int columns = L::config.columns;
  static constexpr int count = columns / 2;  // sums of a thread
  static constexpr int width = 128;          // columns whose partial sums there are at once
  static constexpr int halves = columns / width;
  static constexpr bool is_gated = result == Result::gated;
  static_assert(!is_gated || columns == 256);

  __device__ Multiplier(const ProductOperands& o, const ResultOperands& of, Address base, int group,
                        int steps)
      : o_(o),
        of_(of),
        base_(base),
        steps_(steps),
        group_(group),
        warp_(static_cast<int>(threadIdx.x) / 32),
        lane_(static_cast<int>(threadIdx.x) % 32) {
    buffer_ = base + L::staging + warp_ * 16 * line;
  }

  __device__ void run(const grouped_gemm::Tile& tile) {
    const int rows = tile.rows - group_ * 64;  // of this group
    if (rows <= 0) {
      for (int step = 0; step < steps_; ++step) {
        hopper::barrier_wait(base_ + L::full + 8 * ring_.stage, ring_.parity);
        release(base_ + L::empty + 8 * ring_.stage);
        ring_.advance(L::config.stages);
      }
      return;
    }
    row_ = tile.row + group_ * 64 + warp_ % 4 * 16;
    rows_ = min(rows - warp_ % 4 * 16, 16);
    column_ = tile.column_tile * columns;
    const int part_columns = is_gated ? o_.n / 2 : o_.n;
    const int part_blocks = (part_columns + 127) / 128;
    const int block = column_ / (is_gated ? 256 : 128);
    w_scales_ = o_.w_scales +
                (static_cast<long long>(tile.expert) * (is_gated ? 2 : 1) * part_blocks + block) * steps_;
    // From the scales of gate to those of up, or from a block of columns to the next, which may be missing.
    if constexpr (is_gated)
      next_block_ = part_blocks * steps_;
    else
      next_block_ = halves == 2 && block + 1 < part_blocks ? steps_ : 0;
    float total[count] = {};
    if constexpr (halves == 1 && L::groups > 1)
      multiply_pairs(total);
    else
      multiply_halves(total);
    if constexpr (is_gated)
      store_quantised(total);
    else
      store(total);
  }

 private:
  struct ScaleOf {
    float row[2];
    float block[2];
  };

  __device__ void release(Address empty) const {
    if (lane_ == 0) hopper::barrier_arrive(empty);
  }

  __device__ ScaleOf scales_of(int segment) const {
    ScaleOf of;
    const float* x = o_.x_scales + static_cast<long long>(segment) * o_.x_scale_stride + row_;
#pragma unroll
    for (int i = 0; i < 2; ++i) of.row[i] = __ldcg(x + min(lane_ / 4 + 8 * i, rows_ - 1));
    of.block[0] = __ldg(w_scales_ + segment);
    of.block[1] = is_gated || halves == 2 ? __ldg(w_scales_ + next_block_ + segment) : 0.0f;
    return of;
  }

  __device__ static void add_scaled(float* total, const float (&sum)[width / 2], const ScaleOf& scales,
                                    int half) {
    float scale[2][2];
#pragma unroll
    for (int block = 0; block < 2; ++block)
#pragma unroll
      for (int i = 0; i < 2; ++i) scale[block][i] = scales.row[i] * scales.block[block];
#pragma unroll
    for (int i = 0; i < width / 2; ++i)
      total[i] = fmaf(sum[i], scale[is_gated ? i / 4 % 2 : half][i / 2 % 2], total[i]);
  }

  /// Enqueues the partial sums of the current stage for `width` columns from `first` on.
  __device__ void enqueue_segment(float (&sum)[width / 2], int first) const {
    const Address stage = base_ + ring_.stage * L::stage_bytes;
    const std::uint64_t x_at = hopper::describe(stage + group_ * 64 * line);
    const std::uint64_t w_at = hopper::describe(stage + L::x_bytes + first * line);
    hopper::wgmma_fence();
#pragma unroll
    for (int into = 0; into < line; into += 32)
      hopper::MultiplyLevels<float, width>::run(sum, x_at + hopper::steps_of(into),
                                                w_at + hopper::steps_of(into), into == 0 ? 0 : 1);
    hopper::wgmma_commit();
  }

  /// With one set of partial sums.
  __device__ void multiply_halves(float (&total)[count]) {
    float sum[width / 2] = {};
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
        if (half == halves - 1) release(base_ + L::empty + 8 * ring_.stage);
        add_scaled(total + half * width / 2, sum, now, half);
      }
      ring_.advance(L::config.stages);
    }
  }

  /// Enqueues a segment with a set of partial sums of its own. Returns its barrier.
  __device__ Address begin(float (&sum)[width / 2]) {
    hopper::barrier_wait(base_ + L::full + 8 * ring_.stage, ring_.parity);
    enqueue_segment(sum, 0);
    const Address empty = base_ + L::empty + 8 * ring_.stage;
    ring_.advance(L::config.stages);
    return empty;
  }

  /// Adds a segment when at most `pending` later ones are still being multiplied.
  template <int pending>
  __device__ void end(float (&sum)[width / 2], const ScaleOf& scales, Address empty, float (&total)[count]) {
    hopper::wgmma_wait<pending>();
    hopper::pin(sum);
    release(empty);
    add_scaled(total, sum, scales, 0);
  }

  /// With two sets of partial sums, so that half of the additions overlap with a product of the same group.
  __device__ void multiply_pairs(float (&total)[count]) {
    float even[width / 2] = {}, odd[width / 2] = {};
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

  /// Stores the sums of a warp's 16 rows through shared memory, 64 columns at a time, or adds them to y.
  __device__ void store(const float (&sum)[count]) const {
    auto* const y = static_cast<__nv_bfloat16*>(o_.y);
    float weight[2] = {1.0f, 1.0f};
    if constexpr (result == Result::added) {
#pragma unroll
      for (int i = 0; i < 2; ++i)
        weight[i] = __ldcg(of_.weight_of + row_ + min(lane_ / 4 + 8 * i, rows_ - 1));
    }
#pragma unroll
    for (int first = 0; first < columns; first += 64) {
      __syncwarp();  // the buffer has been read
#pragma unroll
      for (int into = 0; into < 64; into += 16) {
        unsigned packed[4];  // [8 columns][8 rows]
#pragma unroll
        for (int half = 0; half < 2; ++half)
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            const float* from = sum + (first + into + half * 8) / 2 + 2 * i;
            packed[half * 2 + i] = hopper::pack<__nv_bfloat16>(weight[i] * from[0], weight[i] * from[1]);
          }
        const int to_row = lane_ / 8 % 2 * 8 + lane_ % 8;
        const int to_piece = into / 8 + lane_ / 16;
        hopper::store_matrices(buffer_ + to_row * line + (to_piece ^ to_row % 8) * 16, packed[0], packed[1],
                               packed[2], packed[3]);
      }
      __syncwarp();
      const int piece = lane_ % 8;
      const int column = column_ + first + 8 * piece;
#pragma unroll
      for (int rows = 0; rows < 16; rows += 4) {
        const int row = rows + lane_ / 8;
        if (row >= rows_ || column >= o_.n) continue;
        const uint4 value = hopper::load_shared(buffer_ + row * line + (piece ^ row % 8) * 16);
        if constexpr (result == Result::added)
          add_eight(y + static_cast<long long>(__ldcg(of_.token_of + row_ + row)) * o_.n + column, value);
        else
          *reinterpret_cast<uint4*>(y + static_cast<long long>(row_ + row) * o_.n + column) = value;
      }
    }
  }

  /// Stores the levels and the scales of a warp's 16 rows and 128 columns of h.
  __device__ void store_quantised(const float (&sum)[count]) const {
    const int width_of_h = o_.n / 2;
    const int first = column_ / 2;
    __syncwarp();  // the buffer has been read
#pragma unroll
    for (int i = 0; i < 2; ++i) {  // the rows lane / 4 and 8 + lane / 4
      float h[columns / 8];        // the columns 8 p + lane % 4 * 2 and the next one
      float largest = 0.0f;
#pragma unroll
      for (int p = 0; p < columns / 16; ++p)
#pragma unroll
        for (int j = 0; j < 2; ++j) {
          const float value = activated(of_.activation, sum[8 * p + 2 * i + j], sum[8 * p + 4 + 2 * i + j]);
          h[2 * p + j] = __bfloat162float(__float2bfloat16_rn(value));
          largest = fmaxf(largest, fabsf(h[2 * p + j]));
        }
      largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 1));
      largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, 2));
      const float to_level = largest == 0.0f ? 0.0f : __fdiv_rn(448.0f, largest);
      const int row = lane_ / 4 + 8 * i;
      if (lane_ % 4 == 0 && row < rows_)
        of_.scales[static_cast<long long>(first / 128) * of_.scale_stride + row_ + row] =
            __fdiv_rn(largest, 448.0f);
#pragma unroll
      for (int p = 0; p < columns / 16; ++p) {
        const auto two = static_cast<unsigned short>(__nv_cvt_float2_to_fp8x2(
            {__fmul_rn(h[2 * p], to_level), __fmul_rn(h[2 * p + 1], to_level)}, __NV_SATFINITE, __NV_E4M3));
        const Address to = buffer_ + row * line + (p / 2 ^ row % 8) * 16 + p % 2 * 8 + lane_ % 4 * 2;
        asm volatile("st.shared.u16 [%0], %1;" ::"r"(to), "h"(two) : "memory");
      }
    }
    __syncwarp();
    const int piece = lane_ % 8;
#pragma unroll
    for (int rows = 0; rows < 16; rows += 4) {
      const int row = rows + lane_ / 8;
      const int column = first + 16 * piece;
      if (row < rows_ && column < width_of_h)
        *reinterpret_cast<uint4*>(static_cast<unsigned char*>(o_.y) +
                                  static_cast<long long>(row_ + row) * width_of_h + column) =
            hopper::load_shared(buffer_ + row * line + (piece ^ row % 8) * 16);
    }
  }

  const ProductOperands& o_;
  const ResultOperands& of_;
  Address base_, buffer_;
  int steps_, group_, warp_, lane_;
  // The first of this warp's tile, and the number of its rows; where that is 0 or less, the last row of the
  // tile is still row_ + rows_ - 1.
  int row_ = 0, rows_ = 0, column_ = 0;
  const float* w_scales_ = nullptr;
  int next_block_ = 0;
  hopper::Ring ring_;
};

}  // namespace wgmma

template <int rows, int columns, int stages, Result result>
__global__ void __launch_bounds__(2 * rows + 128, 1)
    multiply_wgmma(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap w_map,
                   const __grid_constant__ ProductOperands o, const __grid_constant__ ResultOperands of) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using L = wgmma::Layout<rows, columns, stages>;
  extern __shared__ __align__(1024) unsigned char shared[];
  auto& schedule = *reinterpret_cast<grouped_gemm::Schedule*>(shared + L::schedule);
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  constexpr int loader = 4 * L::groups;
  cuda::wait_for_previous();
  cuda::let_next_begin();
  if (warp == 0) grouped_gemm::make_schedule<rows>(schedule, o.ends, o.experts);
  if (warp == loader && lane == 0) {
    hopper::prefetch_map(&x_map);
    hopper::prefetch_map(&w_map);
    for (int stage = 0; stage < stages; ++stage) {
      hopper::barrier_init(base + L::full + 8 * stage, 1);
      hopper::barrier_init(base + L::empty + 8 * stage, 4 * L::groups);
    }
    hopper::fence_barrier_init();
  }
  __syncthreads();
  const int column_tiles = (o.n + columns - 1) / columns;
  const int steps = (o.k + wgmma::line - 1) / wgmma::line;
  if (warp >= loader) {
    hopper::give_registers<40>();
    if (warp == loader && lane == 0)
      wgmma::load_tiles<L, result>(schedule, base, &x_map, &w_map, o, column_tiles, steps);
  } else {
    hopper::take_registers<L::groups == 1 ? 248 : 232>();
    wgmma::Multiplier<L, result> multiplier(o, of, base, warp / 4, steps);
    grouped_gemm::Cursor<rows> cursor;
    const int tiles = grouped_gemm::row_tiles_of(schedule) * column_tiles;
    for (int at = static_cast<int>(blockIdx.x); at < tiles; at += static_cast<int>(gridDim.x))
      multiplier.run(cursor.find(schedule, at, column_tiles, L::config.band));
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::fused_moe::levels
