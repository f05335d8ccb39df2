#pragma once

#include <type_traits>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/cuda/split/exchange.cuh"

// For some tens of tokens: few tiles of W, which a single block could not read fast enough. The blocks of a
// cluster share the columns of a tile of 64 tokens. Each multiplies its part by wgmma on stages that the copy
// engine loads, and leaves its sums in shared memory, where the stages were. Then each block adds the sums of
// all blocks for its share of the tokens, in the order of the blocks, so that the result always has the same
// bits.

namespace adaptive::kernels::quantized_matmul {
namespace split {

template <Types types, bool by_block>
using Total = std::conditional_t<types == Types::int8_w8a8 && !by_block, int, float>;

}  // namespace split

template <Types types, bool by_block, int columns, int stages, int blocks>
__global__ void __launch_bounds__(split_threads)
    multiply_split(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap w_map,
                   const __grid_constant__ DeviceOperands o) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using hopper::Address;
  using Sum = std::conditional_t<types == Types::int8_w8a8, int, float>;
  using Total = split::Total<types, by_block>;
  constexpr SplitConfig config = {columns, stages, blocks};
  constexpr int stage_bytes = split_stage_bytes(config);
  constexpr int x_bytes = split_tokens * wgmma_line;
  constexpr int barriers = split_barriers(config);
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<Address>(__cvta_generic_to_shared(shared));
  const Address full = base + barriers;
  const Address empty = full + 8 * stages;
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = __shfl_sync(0xFFFFFFFFu, thread / 32, 0);
  const int lane = thread % 32;
  if (thread == 128) {
    hopper::prefetch_map(&x_map);
    hopper::prefetch_map(&w_map);
    for (int stage = 0; stage < stages; ++stage) {
      hopper::barrier_init(full + 8 * stage, 1);
      hopper::barrier_init(empty + 8 * stage, 4);
    }
    hopper::fence_barrier_init();
  }
  __syncthreads();

  const int rank = static_cast<int>(blockIdx.x) % blocks;
  const int column0 = static_cast<int>(blockIdx.x) / blocks * columns;
  const int row0 = static_cast<int>(blockIdx.y) * split_tokens;
  const int steps = (o.in_features + wgmma_line - 1) / wgmma_line;
  const int begin = steps * rank / blocks;
  const int end = steps * (rank + 1) / blocks;
  if (warp == 4) {
    if (lane == 0) {
      hopper::Ring ring;
      for (int step = begin; step < end; ++step) {
        const Address stage = base + ring.stage * stage_bytes;
        hopper::barrier_wait(empty + 8 * ring.stage, ring.parity ^ 1);
        hopper::barrier_expect(full + 8 * ring.stage, stage_bytes);
        hopper::copy_box(stage, &x_map, step * wgmma_line, row0, full + 8 * ring.stage);
        hopper::copy_box(stage + x_bytes, &w_map, step * wgmma_line, column0, full + 8 * ring.stage);
        ring.advance(stages);
      }
    }
    __syncwarp();
  } else {
    Sum sum[columns / 2] = {};
    float scaled[by_block ? columns / 2 : 1] = {};
    hopper::Ring ring;
#pragma unroll 1
    for (int step = begin; step < end; ++step) {
      float scale[2] = {};
      if constexpr (by_block) {
        const float w = __ldg(
            o.w_scales +
            static_cast<long long>(column0 / static_cast<int>(block_columns)) * o.w_scale_stride + step);
        const float* x = o.x_scales + static_cast<long long>(step) * o.tokens;
#pragma unroll
        for (int i = 0; i < 2; ++i)
          scale[i] = w * __ldg(x + min(row0 + warp * 16 + lane / 4 + 8 * i, o.tokens - 1));
      }
      hopper::barrier_wait(full + 8 * ring.stage, ring.parity);
      const Address stage = base + ring.stage * stage_bytes;
      const std::uint64_t x_at = hopper::describe(stage);
      const std::uint64_t w_at = hopper::describe(stage + x_bytes);
      hopper::wgmma_fence();
#pragma unroll
      for (int into = 0; into < wgmma_line; into += 32)
        hopper::MultiplyLevels<Sum, columns>::run(
            sum, x_at + hopper::steps_of(into), w_at + hopper::steps_of(into), by_block && into == 0 ? 0 : 1);
      hopper::wgmma_commit();
      hopper::wgmma_wait<0>();
      hopper::pin(sum);
      if (lane == 0) hopper::barrier_arrive(empty + 8 * ring.stage);
      ring.advance(stages);
      if constexpr (by_block) {
#pragma unroll
        for (int i = 0; i < columns / 2; ++i)
          scaled[i] = fmaf(static_cast<float>(sum[i]), scale[i / 2 % 2], scaled[i]);
      }
    }
    // No warp may overwrite a stage that another warp still multiplies.
    hopper::group_sync(1);
    auto* const own = reinterpret_cast<Total*>(shared);
    if constexpr (by_block)
      split::leave_sums<columns>(own, scaled, 0);
    else
      split::leave_sums<columns>(own, sum, 0);
  }
  split::add_sums<split_tokens, columns, blocks, split_threads, by_block, false, Total>(o, base, row0,
                                                                                        column0, rank);
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::quantized_matmul
