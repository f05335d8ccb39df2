#pragma once

#include <cooperative_groups.h>

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/grouped_gemm/cuda/outputs.cuh"
#include "kernels/grouped_gemm/cuda/schedule.cuh"

// For few rows per expert: the kernel reads the weights once, and that takes all its time. Blocks are small,
// and several run on a multiprocessor, so that one loads while another multiplies or starts. Each block keeps
// a ring of stages filled by cp.async.
//
// The weights are the first operand of the tensor cores (16 outputs), the rows the second (8 at a time), so
// that an expert with one row wastes 7 rows, not 15. A row of a stage has 64 elements, which are 128 bytes.
// The order of its 16-byte pieces changes with the row, so that ldmatrix has no bank conflicts.
//
// With `split`, each block of a cluster takes a part of k, and the blocks add their sums in a fixed order.
//
// If the launch overlaps with the kernel before it, the weights of the first stages are loaded while that
// kernel still runs.

namespace adaptive::kernels::grouped_gemm {

namespace mma {

__device__ inline void commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int pending>
__device__ void wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

constexpr int piece = 8;  // elements of 16 bytes
constexpr int line = 64;  // elements of a row of a stage's slab
constexpr int line_bytes = 128;

/// The offset of a 16-byte piece in a slab of 128-byte rows.
__device__ inline unsigned place(int row, int at) {
  return static_cast<unsigned>(row * line_bytes + (at ^ (row % 8)) * 16);
}

}  // namespace mma

template <class T, std::size_t index, class Outputs>
__global__ void __launch_bounds__(Needs<mma_configs, index>::threads, mma_configs[index].blocks)
    grouped_mma(const T* __restrict__ x, const T* __restrict__ w, T* __restrict__ y,
                const int* __restrict__ ends, const int* __restrict__ row_of, int n, int k, int experts,
                Outputs outputs) {
  namespace cg = cooperative_groups;
  using N = Needs<mma_configs, index>;
  constexpr Config config = N::config;
  constexpr int rows = config.rows;
  constexpr int columns = config.columns;
  constexpr int threads = N::threads;
  constexpr int slabs = config.depth / mma::line;
  constexpr int warps_along_columns = columns >= 64 ? 4 : 2;
  constexpr int warps_along_rows = N::warps / warps_along_columns;
  constexpr int warp_columns = columns / warps_along_columns;
  constexpr int warp_rows = rows / warps_along_rows;
  constexpr int column_steps = warp_columns / 16;
  constexpr int row_steps = warp_rows / 16;
  constexpr int rows_at_once = threads / 8;  // rows of a slab that are loaded at once, each by 8 threads
  constexpr int w_copies = columns / rows_at_once;
  constexpr int x_copies = (rows + rows_at_once - 1) / rows_at_once;
  constexpr int stage_bytes = (rows + columns) * config.depth * element_bytes;
  static_assert(columns % rows_at_once == 0 && warp_columns % 16 == 0 && warp_rows % 16 == 0);

  extern __shared__ __align__(1024) unsigned char shared[];
  auto& schedule = *reinterpret_cast<Schedule*>(shared + N::shared - schedule_bytes);
  const auto base = static_cast<unsigned>(__cvta_generic_to_shared(shared));

  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int warp_column = warp % warps_along_columns * warp_columns;
  const int warp_row = warp / warps_along_columns * warp_rows;
  const int rank = static_cast<int>(blockIdx.x) % config.split;
  const int cluster = static_cast<int>(blockIdx.x) / config.split;
  const int clusters = static_cast<int>(gridDim.x) / config.split;

  if constexpr (Outputs::waits_first) {
    cuda::wait_for_previous();
    cuda::let_next_begin();
  }
  if (warp == 0) make_schedule<rows>(schedule, ends, experts);
  __syncthreads();

  const int column_tiles = (n + columns - 1) / columns;
  const int tiles = row_tiles_of(schedule) * column_tiles;
  const int all_steps = (k + config.depth - 1) / config.depth;
  const int own_steps = (all_steps + config.split - 1) / config.split;
  const int first_step = min(rank * own_steps, all_steps);
  const int steps = min(own_steps, all_steps - first_step);
  const int copy_row = thread / 8;
  const int copy_piece = thread % 8;

  Cursor<rows> cursor;
  for (int at = cluster; at < tiles; at += clusters) {
    const Tile tile = cursor.find(schedule, at, column_tiles, config.band);
    const int column0 = tile.column_tile * columns;

    const T* w_from = w + (static_cast<long long>(tile.expert) * n + column0 / Outputs::sums +
                           Outputs::weight_row(copy_row, n)) *
                              k;
    const T* x_from[x_copies];
#pragma unroll
    for (int i = 0; i < x_copies; ++i) {
      const int row = min(copy_row + i * rows_at_once, tile.rows - 1) + tile.row;
      x_from[i] = x + static_cast<long long>(row_of == nullptr ? row : cuda::load_fresh(row_of + row)) * k;
    }
    const auto load_weights = [&](int step) {
      const unsigned stage = base + static_cast<unsigned>(step % config.stages * stage_bytes);
#pragma unroll
      for (int slab = 0; slab < slabs; ++slab) {
        const int from = (first_step + step) * config.depth + slab * mma::line + copy_piece * mma::piece;
        const bool inside = from < k;
        const unsigned w_to = stage + static_cast<unsigned>(slab * columns * mma::line_bytes);
#pragma unroll
        for (int i = 0; i < w_copies; ++i) {
          const int row = copy_row + i * rows_at_once;
          const bool valid = inside && column0 + row < n;
          ampere::copy_piece_or_zeros(
              w_to + mma::place(row, copy_piece),
              valid ? w_from + static_cast<long long>(Outputs::weight_row(i * rows_at_once, n)) * k + from
                    : w,
              valid);
        }
      }
    };
    const auto load_rows = [&](int step) {
      const unsigned stage = base + static_cast<unsigned>(step % config.stages * stage_bytes);
#pragma unroll
      for (int slab = 0; slab < slabs; ++slab) {
        const int from = (first_step + step) * config.depth + slab * mma::line + copy_piece * mma::piece;
        const bool inside = from < k;
        const unsigned x_to =
            stage + static_cast<unsigned>((slabs * columns + slab * rows) * mma::line_bytes);
#pragma unroll
        for (int i = 0; i < x_copies; ++i) {
          const int row = copy_row + i * rows_at_once;
          const bool valid = inside && row < tile.rows;
          if (rows % rows_at_once == 0 || row < rows)
            ampere::copy_piece_or_zeros(x_to + mma::place(row, copy_piece), valid ? x_from[i] + from : x,
                                        valid);
        }
      }
    };

    float sum[column_steps][2 * row_steps][4] = {};
    const bool early = outputs.overlaps && !Outputs::waits_first && at == cluster;
    if (early) {
#pragma unroll
      for (int step = 0; step < config.stages - 1; ++step)
        if (step < steps) load_weights(step);
      cuda::wait_for_previous();
      cuda::let_next_begin();
    }
#pragma unroll
    for (int step = 0; step < config.stages - 1; ++step) {
      if (step < steps) {
        if (!early) load_weights(step);
        load_rows(step);
      }
      mma::commit();
    }
    for (int step = 0; step < steps; ++step) {
      mma::wait<config.stages - 2>();
      __syncthreads();
      if (step + config.stages - 1 < steps) {
        load_weights(step + config.stages - 1);
        load_rows(step + config.stages - 1);
      }
      mma::commit();
      const unsigned stage = base + static_cast<unsigned>(step % config.stages * stage_bytes);
#pragma unroll
      for (int slab = 0; slab < slabs; ++slab) {
        const unsigned w_at = stage + static_cast<unsigned>(slab * columns * mma::line_bytes);
        const unsigned x_at =
            stage + static_cast<unsigned>((slabs * columns + slab * rows) * mma::line_bytes);
#pragma unroll
        for (int k16 = 0; k16 < mma::line / 16; ++k16) {
          uint4 a[column_steps];
#pragma unroll
          for (int c = 0; c < column_steps; ++c)
            a[c] = ampere::load_matrices(w_at +
                                         mma::place(warp_column + 16 * c + lane % 16, 2 * k16 + lane / 16));
#pragma unroll
          for (int r = 0; r < row_steps; ++r) {
            const uint4 b =
                ampere::load_matrices(x_at + mma::place(warp_row + 16 * r + lane % 16, 2 * k16 + lane / 16));
#pragma unroll
            for (int c = 0; c < column_steps; ++c) {
              ampere::multiply<T>(sum[c][2 * r], a[c], b.x, b.z);
              ampere::multiply<T>(sum[c][2 * r + 1], a[c], b.y, b.w);
            }
          }
        }
      }
    }
    mma::wait<0>();
    __syncthreads();  // the memory of the stages is free now and takes the sums, [rows][columns] plus padding

    constexpr int pitch = columns + 4;
    auto* sums = reinterpret_cast<float*>(shared);
#pragma unroll
    for (int c = 0; c < column_steps; ++c)
#pragma unroll
      for (int r = 0; r < 2 * row_steps; ++r)
#pragma unroll
        for (int i = 0; i < 4; ++i)
          sums[(warp_row + 8 * r + 2 * (lane % 4) + i % 2) * pitch + warp_column + 16 * c + 8 * (i / 2) +
               lane / 4] = sum[c][r][i];
    const auto store = [&](auto&& part) {
      constexpr int width = mma::piece * Outputs::sums;
      for (int i = thread * config.split + rank; i < tile.rows * (columns / width);
           i += threads * config.split) {
        const int row = i / (columns / width);
        const int column = i % (columns / width) * width;
        if (column0 + column >= n) continue;
        float total[width] = {};
#pragma unroll
        for (int other = 0; other < config.split; ++other) {
          const auto* from = reinterpret_cast<const float4*>(part(row * pitch + column, other));
#pragma unroll
          for (int j = 0; j < width / 4; ++j) {
            const float4 four = from[j];
            total[4 * j] += four.x, total[4 * j + 1] += four.y;
            total[4 * j + 2] += four.z, total[4 * j + 3] += four.w;
          }
        }
        outputs.template put<T>(total, y, tile.row + row, column0 + column, n);
      }
    };
    if constexpr (config.split == 1) {
      __syncthreads();
      store([&](int place, int) { return sums + place; });
      __syncthreads();
    } else {
#if __CUDA_ARCH__ >= 900
      const cg::cluster_group group = cg::this_cluster();
      group.sync();
      store([&](int place, int other) { return group.map_shared_rank(sums + place, other); });
      group.sync();  // no block may load the next tile while others read its memory
#else
      __trap();  // `available` excludes devices and code without clusters
#endif
    }
  }
  cuda::wait_for_previous();  // blocks without a tile have not waited yet
}

}  // namespace adaptive::kernels::grouped_gemm
