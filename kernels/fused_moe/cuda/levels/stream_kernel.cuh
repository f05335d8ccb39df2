#pragma once

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/fused_moe/cuda/levels/config.hpp"
#include "kernels/fused_moe/cuda/levels/operands.hpp"
#include "kernels/fused_moe/cuda/levels/types.cuh"
#include "kernels/grouped_gemm/cuda/outputs.cuh"
#include "kernels/grouped_gemm/cuda/schedule.cuh"

// For few rows of an expert, with weights of fewer than 16 bits: the kernel reads the weights once, and that
// takes all its time. Several blocks run on a multiprocessor. Each keeps a ring of stages filled by cp.async,
// ahead across the ends of tiles, because a tile of such weights has few bytes. types.cuh multiplies a stage.
//
// The scales of a slab travel with it through shared memory. Rows of x that a tile does not have are not
// loaded: their sums are not stored.

namespace adaptive::kernels::fused_moe::levels {

/// Copies four bytes asynchronously.
__device__ inline void copy_word(Address to, const void* from) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to), "l"(from) : "memory");
}

__device__ inline float load_shared_float(Address from) {
  float value;
  asm volatile("ld.shared.f32 %0, [%1];" : "=f"(value) : "r"(from) : "memory");
  return value;
}

/// Makes what cp.async has written visible to wgmma, which reads it as the copy engine does.
__device__ inline void fence_for_wgmma() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Copies four bytes asynchronously, or writes zeros.
__device__ inline void copy_word_or_zeros(Address to, const void* from, bool exists) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(to), "l"(from), "r"(exists ? 4 : 0)
               : "memory");
}

/// Finds tile `at` as grouped_gemm::Cursor does with bands of one row tile, in any order. All lanes of a warp
/// call it.
template <int rows>
__device__ grouped_gemm::Tile find_tile(const grouped_gemm::Schedule& schedule, int at, int column_tiles) {
  constexpr int each = grouped_gemm::experts_max / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int slot = at / column_tiles;
  unsigned before = 0;
#pragma unroll
  for (int i = 0; i < each; ++i) before += slot >= schedule.tile_end[32 * i + lane] ? 1 : 0;
  const int expert = static_cast<int>(__reduce_add_sync(0xFFFFFFFFu, before));
  const int first_slot = expert == 0 ? 0 : schedule.tile_end[expert - 1];
  const int first_row = expert == 0 ? 0 : schedule.row_end[expert - 1];
  const int row = first_row + (slot - first_slot) * rows;
  return {expert, row, min(rows, schedule.row_end[expert] - row), at - slot * column_tiles};
}

template <class Type, int rows, int columns, int blocks, class Outputs>
__global__ void __launch_bounds__(stream_threads, blocks)
    multiply_stream(const __grid_constant__ ProductOperands o, const __grid_constant__ Outputs outputs) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  namespace gg = grouped_gemm;
  namespace mma = grouped_gemm::mma;
  using Sum = typename Type::Sum;
  constexpr StreamConfig config = {rows, columns, blocks};
  constexpr StageLines lines = Type::lines;
  constexpr int stages = stream_stages(config, lines);
  constexpr int x_lines = lines.x_lines;
  constexpr int x_line_bytes = rows * 128;  // from a line of a row to the row's next line
  constexpr int w_bytes = columns * lines.w_line_bytes;
  constexpr int stage_bytes = stream_stage_bytes(config, lines);
  constexpr int scale_bytes = stream_scale_bytes(config);
  constexpr int w_pieces = lines.w_line_bytes / 16;  // of a row of a slab
  constexpr int w_rows_at_once = stream_threads / w_pieces;
  constexpr int w_copies = columns / w_rows_at_once;
  // A row of levels is copied by eight threads; pairs of bfloat16 by a warp for each line.
  constexpr bool pairs = x_lines == 2;
  constexpr int x_copies = pairs ? rows / 4 : (rows * 8 + stream_threads - 1) / stream_threads;
  constexpr int x_stride = pairs ? 1 : stream_threads / 8;
  constexpr bool each_slab = Type::scaling == Scaling::slab;
  static_assert(columns == 64 && stages >= 3 && stage_bytes % 1024 == 0 && w_bytes % 1024 == 0);
  static_assert(columns % w_rows_at_once == 0 && rows + columns <= stream_threads);

  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<Address>(__cvta_generic_to_shared(shared));
  const Address all_scales = base + static_cast<unsigned>(stages * stage_bytes);
  auto* const sums = reinterpret_cast<float*>(shared + stages * (stage_bytes + scale_bytes));
  constexpr int pitch = columns + 4;
  auto& schedule =
      *reinterpret_cast<gg::Schedule*>(shared + stream_shared_bytes(config, lines) - gg::schedule_bytes);

  const int thread = static_cast<int>(threadIdx.x);
  const int lane = thread % 32;
  const int warp = thread / 32;
  const int warp_column = warp * 16;

  if constexpr (Outputs::waits_first) {
    cuda::wait_for_previous();
    cuda::let_next_begin();
  }
  if (warp == 0) gg::make_schedule<rows>(schedule, o.ends, o.experts);
  __syncthreads();

  const int column_tiles = (o.n + columns - 1) / columns;
  const int tiles = gg::row_tiles_of(schedule) * column_tiles;
  const int steps = (o.k + slab - 1) / slab;
  const auto w_row_bytes = static_cast<long long>(o.k) * lines.w_line_bytes / slab;
  const auto x_row_bytes = static_cast<long long>(o.k) * x_lines;  // a line has `slab / x_lines` columns
  const int w_row = thread / w_pieces;
  const int w_piece = thread % w_pieces;
  const int x_row = pairs ? warp * (rows / 4) : thread / 8;
  const int x_piece = thread % 8;

  // What is to be loaded next.
  int load_at = static_cast<int>(blockIdx.x);
  int load_step = 0;
  int load_stage = 0;
  int load_column = 0;
  int load_rows_count = 0;
  const unsigned char* w_from = nullptr;
  int x_from[x_copies];               // rows of x
  const float* scale_from = nullptr;  // of this thread, for the first slab
  bool has_scale = false;
  int first_expert_row = 0;

  const auto begin_tile = [&] {
    if (load_at >= tiles) return;
    const gg::Tile tile = find_tile<rows>(schedule, load_at, column_tiles);
    load_column = tile.column_tile * columns;
    load_rows_count = tile.rows;
    first_expert_row = tile.row;
    const long long first = static_cast<long long>(tile.expert) * o.n + load_column / Outputs::sums;
    w_from = static_cast<const unsigned char*>(o.w) +
             (first + Outputs::weight_row(w_row, o.n)) * w_row_bytes + w_piece * 16;
    // Threads from 0 on copy the scales of the weights, those from `columns` on the scales of x.
    has_scale = false;
    if constexpr (Type::scales_rows) {
      if (thread < columns && load_column + thread < o.n) {
        has_scale = true;
        scale_from = o.w_scales + (first + Outputs::weight_row(thread, o.n)) * (each_slab ? steps : 1);
      }
    } else {
      if (thread < Outputs::sums) {  // a block of gate and one of up, or a single one
        has_scale = true;
        const int part_rows = o.n / Outputs::sums;
        const int part_blocks = (part_rows + 127) / 128;
        scale_from =
            o.w_scales + ((static_cast<long long>(tile.expert) * Outputs::sums + thread) * part_blocks +
                          load_column / Outputs::sums / 128) *
                             steps;
      }
    }
  };
  // The rows of x are known only when the kernel before has ended.
  const auto begin_rows = [&] {
    if (load_at >= tiles) return;
#pragma unroll
    for (int i = 0; i < x_copies; ++i) {
      const int row = first_expert_row + min(x_row + i * x_stride, load_rows_count - 1);
      x_from[i] = o.row_of == nullptr ? row : cuda::load_fresh(o.row_of + row);
    }
    if constexpr (Type::scales_x) {
      const int of = thread - columns;
      if (of >= 0 && of < load_rows_count && of < rows) {
        const int row = first_expert_row + of;
        const int from = o.row_of == nullptr ? row : cuda::load_fresh(o.row_of + row);
        scale_from = o.x_scales + from;
        has_scale = true;
      }
    }
  };
  const auto load_weights = [&](int step, Address stage) {
    const long long from = static_cast<long long>(step) * lines.w_line_bytes;
    const bool inside = from + w_piece * 16 < w_row_bytes;
#pragma unroll
    for (int i = 0; i < w_copies; ++i) {
      const int row = w_row + i * w_rows_at_once;
      const bool valid = inside && load_column + row < o.n;
      const unsigned to = w_pieces == 8 ? mma::place(row, w_piece)
                                        : static_cast<unsigned>(row * 64 + (w_piece ^ row / 2 % 4) * 16);
      ampere::copy_piece_or_zeros(
          stage + to,
          valid
              ? w_from + static_cast<long long>(Outputs::weight_row(i * w_rows_at_once, o.n)) * w_row_bytes +
                    from
              : static_cast<const unsigned char*>(o.w),
          valid);
    }
  };
  const auto load_rows = [&](int step, Address stage) {
#pragma unroll
    for (int line = 0; line < x_lines; ++line) {
      const int from = (step * x_lines + line) * 128 + (pairs ? lane * 4 : x_piece * 16);
      const bool inside = from < x_row_bytes;
      const Address to = stage + static_cast<unsigned>(w_bytes + line * x_line_bytes);
#pragma unroll
      for (int i = 0; i < x_copies; ++i) {
        const int row = x_row + i * x_stride;
        if (row >= load_rows_count) continue;
        const unsigned char* const source =
            static_cast<const unsigned char*>(o.x) + x_from[i] * x_row_bytes + (inside ? from : 0);
        if constexpr (pairs) {
          const int place = Type::place_of_pair(lane);
          copy_word_or_zeros(to + mma::place(row, place / 4) + static_cast<unsigned>(place % 4 * 4), source,
                             inside);
        } else {
          ampere::copy_piece_or_zeros(to + mma::place(row, x_piece), source, inside);
        }
      }
    }
    if (has_scale && (each_slab || step == steps - 1))
      copy_word(all_scales + static_cast<unsigned>(load_stage * scale_bytes + 4 * thread),
                scale_from + (each_slab ? step * (thread < columns ? 1LL : o.x_scale_stride) : 0LL));
  };
  const auto advance = [&] {
    if (++load_stage == stages) load_stage = 0;
    if (++load_step == steps) {
      load_step = 0;
      load_at += static_cast<int>(gridDim.x);
      begin_tile();
      begin_rows();
    }
  };

  begin_tile();
  int early = 0;
  if constexpr (!Outputs::waits_first) {
    if (load_at < tiles && outputs.overlaps) early = min(stages - 1, steps);
    for (int step = 0; step < early; ++step)
      load_weights(step, base + static_cast<unsigned>(step * stage_bytes));
    cuda::wait_for_previous();
    cuda::let_next_begin();
  }
  begin_rows();
  for (int ahead = 0; ahead < stages - 1; ++ahead) {
    if (load_at < tiles) {
      const Address stage = base + static_cast<unsigned>(load_stage * stage_bytes);
      if (ahead >= early) load_weights(load_step, stage);
      load_rows(load_step, stage);
      advance();
    }
    mma::commit();
  }

  int use_stage = 0;
  for (int at = static_cast<int>(blockIdx.x); at < tiles; at += static_cast<int>(gridDim.x)) {
    const gg::Tile tile = find_tile<rows>(schedule, at, column_tiles);
    const int column0 = tile.column_tile * columns;
    float total[rows / 2] = {};
    Sum sum[Type::parts][rows / 2] = {};
    const auto scale_sums = [&](int part) {
      const Address scales = all_scales + static_cast<unsigned>(use_stage * scale_bytes);
      float w_scale[2];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int place = Type::scales_rows    ? warp_column + 8 * half + lane / 4
                          : Outputs::sums == 2 ? half
                                               : 0;
        w_scale[half] = load_shared_float(scales + static_cast<unsigned>(4 * place));
        if constexpr (Type::parts == 2) {  // two numbers of bfloat16
          const unsigned both = __float_as_uint(w_scale[half]);
          w_scale[half] = __uint_as_float(part == 0 ? both << 16 : both & 0xFFFF0000u);
        }
      }
#pragma unroll
      for (int r = 0; r < rows / 8; ++r) {
        float x_scale[2] = {1.0f, 1.0f};
        if constexpr (Type::scales_x) {
          const uint2 both =
              hopper::load_shared_two(scales + static_cast<unsigned>(4 * (columns + 8 * r + lane % 4 * 2)));
          x_scale[0] = __uint_as_float(both.x), x_scale[1] = __uint_as_float(both.y);
        }
#pragma unroll
        for (int i = 0; i < 4; ++i)
          total[4 * r + i] = fmaf(static_cast<float>(sum[part][4 * r + i]), w_scale[i / 2] * x_scale[i % 2],
                                  total[4 * r + i]);
      }
    };
    for (int step = 0; step < steps; ++step) {
      mma::wait<stages - 2>();
      fence_for_wgmma();
      __syncthreads();
      if (load_at < tiles) {
        const Address stage = base + static_cast<unsigned>(load_stage * stage_bytes);
        load_weights(load_step, stage);
        load_rows(load_step, stage);
        advance();
      }
      mma::commit();
      const Address stage = base + static_cast<unsigned>(use_stage * stage_bytes);
      Type::template multiply<rows>(sum, stage, stage + static_cast<unsigned>(w_bytes), !each_slab);
      if (each_slab || step == steps - 1) {
#pragma unroll
        for (int part = 0; part < Type::parts; ++part) scale_sums(part);
      }
      if (++use_stage == stages) use_stage = 0;
    }
    // The sums of the tile before have been read: each thread has passed a barrier since.
#pragma unroll
    for (int r = 0; r < rows / 8; ++r)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        sums[(8 * r + 2 * (lane % 4) + i % 2) * pitch + warp_column + 8 * (i / 2) + lane / 4] =
            total[4 * r + i];
    __syncthreads();
    constexpr int width = 8 * Outputs::sums;
    for (int i = thread; i < tile.rows * (columns / width); i += stream_threads) {
      const int row = i / (columns / width);
      const int column = i % (columns / width) * width;
      if (column0 + column >= o.n) continue;
      float numbers[width];
      const auto* from = reinterpret_cast<const float4*>(sums + row * pitch + column);
#pragma unroll
      for (int j = 0; j < width / 4; ++j) {
        const float4 four = from[j];
        numbers[4 * j] = four.x, numbers[4 * j + 1] = four.y;
        numbers[4 * j + 2] = four.z, numbers[4 * j + 3] = four.w;
      }
      outputs.template put<__nv_bfloat16>(numbers, static_cast<__nv_bfloat16*>(o.y), tile.row + row,
                                          column0 + column, o.n);
    }
  }
  cuda::wait_for_previous();  // blocks without a tile have not waited yet
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::fused_moe::levels
