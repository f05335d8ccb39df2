#pragma once

#include <type_traits>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/cuda/split/exchange.cuh"
#include "kernels/quantized_matmul/cuda/written.cuh"

// For up to some tens of tokens, where the time is that of reading W. The copy engine fills stages of 64 rows
// of W by 128 columns, far ahead of the warps that multiply, so that most of what a block reads is on the way
// at once without taking registers. The rows of W are the first operand of wgmma and the tokens the second,
// which may be as few as eight. The blocks of a cluster share the columns of a tile; split/exchange.cuh has
// the end.
//
// The weights of the first stages are requested before the kernel waits for the one before it, which may
// have quantised the activations. Scales by block are parts of the stages, because a step is much shorter
// than the wait for a number from memory.

namespace adaptive::kernels::quantized_matmul {

template <Types types, bool by_block, int tokens, int stages, int blocks>
__global__ void __launch_bounds__(split_threads)
    multiply_stream(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap w_map,
                    const __grid_constant__ DeviceOperands o) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using hopper::Address;
  using Sum = std::conditional_t<types == Types::int8_w8a8, int, float>;
  using Total = std::conditional_t<types == Types::int8_w8a8 && !by_block, int, float>;
  constexpr StreamConfig config = {tokens, stages, blocks};
  constexpr int stage_bytes = stream_stage_bytes(config);
  constexpr int w_bytes = stream_rows * wgmma_line;
  constexpr int count = tokens / 2;  // sums of a thread
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<Address>(__cvta_generic_to_shared(shared));
  const Address full = base + stream_barriers(config);
  const Address empty = full + 8 * stages;
  [[maybe_unused]] const Address scales = empty + 8 * stages;
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = __shfl_sync(0xFFFFFFFFu, thread / 32, 0);
  const int lane = thread % 32;
  const int rank = static_cast<int>(blockIdx.x) % blocks;
  const int first_row = static_cast<int>(blockIdx.x) / blocks * stream_rows;
  const int first_token = static_cast<int>(blockIdx.y) * tokens;
  const int steps = (o.in_features + wgmma_line - 1) / wgmma_line;
  const int begin = steps * rank / blocks;
  const int end = steps * (rank + 1) / blocks;
  if (thread == 128) {
    for (int stage = 0; stage < stages; ++stage) {
      hopper::barrier_init(full + 8 * stage, by_block ? 1 + 32 : 1);
      hopper::barrier_init(empty + 8 * stage, 4);
    }
    hopper::fence_barrier_init();
  }
  const auto copy_w = [&](int step, int stage) {
    hopper::barrier_expect(full + 8 * stage, stage_bytes);
    hopper::copy_box(base + stage * stage_bytes, &w_map, step * wgmma_line, first_row, full + 8 * stage);
  };
  const auto copy_x = [&](int step, int stage) {
    hopper::copy_box(base + stage * stage_bytes + w_bytes, &x_map, step * wgmma_line, first_token,
                     full + 8 * stage);
  };
  // Each lane of the copying warp copies some scales of a step and arrives once they are there.
  const auto copy_scales = [&](int step, int stage) {
    if constexpr (by_block) {
      const Address to = scales + stage * stream_scale_bytes(config);
      for (int token = lane; token < tokens; token += 32)
        copy_written(to + 4 * token, o.x_scales + static_cast<long long>(step) * o.tokens +
                                         min(first_token + token, o.tokens - 1));
      if (lane == 0)
        copy_written(
            to + 4 * tokens,
            o.w_scales +
                static_cast<long long>(first_row / static_cast<int>(block_columns)) * o.w_scale_stride +
                step);
      hopper::barrier_arrive_when_copied(full + 8 * stage);
    }
  };
  // The copies of this thread need not wait for the others: they use barriers that this thread has
  // initialised.
  const int ahead = min(end - begin, stages);
  if (thread == 128)
    for (int stage = 0; stage < ahead; ++stage) copy_w(begin + stage, stage);
  __syncwarp();
  cuda::wait_for_previous();
  cuda::let_next_begin();
  if (thread == 128)
    for (int stage = 0; stage < ahead; ++stage) copy_x(begin + stage, stage);
  __syncthreads();
  if (warp == 4) {
    for (int stage = 0; stage < ahead; ++stage) copy_scales(begin + stage, stage);
    if (by_block || lane == 0) {
      hopper::Ring ring;
      for (int step = begin + stages; step < end; ++step) {
        hopper::barrier_wait(empty + 8 * ring.stage, ring.parity);
        if (lane == 0) {
          copy_w(step, ring.stage);
          copy_x(step, ring.stage);
        }
        copy_scales(step, ring.stage);
        ring.advance(stages);
      }
    }
    __syncwarp();
  } else {
    Sum sum[count] = {};
    float scaled[by_block ? count : 1] = {};
    hopper::Ring ring;
#pragma unroll 1
    for (int step = begin; step < end; ++step) {
      hopper::barrier_wait(full + 8 * ring.stage, ring.parity);
      // Tokens 8 j + lane % 4 * 2 and the next one belong to the sums 4 j to 4 j + 3.
      constexpr int pairs = by_block ? tokens / 8 : 1;
      float x_scale[pairs][2];
      float w_scale = 0;
      if constexpr (by_block) {
        const Address from = scales + ring.stage * stream_scale_bytes(config);
        w_scale = load_shared_float(from + 4 * tokens);
#pragma unroll
        for (int j = 0; j < pairs; ++j)
#pragma unroll
          for (int i = 0; i < 2; ++i)
            x_scale[j][i] = load_shared_float(from + 4 * (j * 8 + lane % 4 * 2 + i));
      }
      const Address stage = base + ring.stage * stage_bytes;
      const std::uint64_t w_at = hopper::describe(stage);
      const std::uint64_t x_at = hopper::describe(stage + w_bytes);
      hopper::wgmma_fence();
#pragma unroll
      for (int into = 0; into < wgmma_line; into += 32)
        hopper::MultiplyLevels<Sum, tokens>::run(
            sum, w_at + hopper::steps_of(into), x_at + hopper::steps_of(into), by_block && into == 0 ? 0 : 1);
      hopper::wgmma_commit();
      hopper::wgmma_wait<0>();
      hopper::pin(sum);
      if constexpr (by_block) __syncwarp();  // all lanes have read their scales
      if (lane == 0) hopper::barrier_arrive(empty + 8 * ring.stage);
      ring.advance(stages);
      if constexpr (by_block) {
#pragma unroll
        for (int i = 0; i < count; ++i)
          scaled[i] = fmaf(static_cast<float>(sum[i]), x_scale[i / 4][i % 2] * w_scale, scaled[i]);
      }
    }
    // No warp may overwrite a stage that another warp still multiplies.
    hopper::group_sync(1);
    auto* const own = reinterpret_cast<Total*>(shared);
    const auto leave = [&](const auto& from) {
#pragma unroll
      for (int i = 0; i < count; ++i)
        own[(i / 4 * 8 + lane % 4 * 2 + i % 2) * split_sum_stride(stream_rows) + warp * 16 + i / 2 % 2 * 8 +
            lane / 4] = from[i];
    };
    if constexpr (by_block)
      leave(scaled);
    else
      leave(sum);
  }
  split::add_sums<tokens, stream_rows, blocks, split_threads, by_block, false, Total>(o, base, first_token,
                                                                                      first_row, rank);
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::quantized_matmul
