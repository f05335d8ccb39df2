#include <array>
#include <utility>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/cuda/levels.cuh"
#include "kernels/quantized_matmul/cuda/split/exchange.cuh"

// The counterpart of kernel.cuh for int8 weights with activations in bfloat16. wgmma would need weights in an
// order in which no lane's bytes are neighbours. Instead each warp multiplies 16 rows of a stage by mma.sync:
// a lane reads 16 neighbouring columns of W and of x at a time, which are the columns of the instruction in
// another order, and converts the weights in registers, exactly.

namespace adaptive::kernels::quantized_matmul {
namespace stream_wide {

using hopper::Address;

__device__ inline std::uint32_t word_of(uint4 value, int i) {
  return i == 0 ? value.x : i == 1 ? value.y : i == 2 ? value.z : value.w;
}

template <int tokens, int stages, int blocks>
__global__ void __launch_bounds__(split_threads)
    multiply_wide(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap w_map,
                  const __grid_constant__ DeviceOperands o) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr StreamConfig config = {tokens, stages, blocks};
  constexpr int stage_bytes = stream_stage_bytes(config, 2);
  constexpr int w_bytes = stream_rows * wgmma_line;
  constexpr int slab_bytes = tokens * wgmma_line;
  constexpr int token_tiles = tokens / 8;
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<Address>(__cvta_generic_to_shared(shared));
  const Address full = base + stream_barriers(config, 2);
  const Address empty = full + 8 * stages;
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
      hopper::barrier_init(full + 8 * stage, 1);
      hopper::barrier_init(empty + 8 * stage, 4);
    }
    hopper::fence_barrier_init();
  }
  const auto copy_w = [&](int step, int stage) {
    hopper::barrier_expect(full + 8 * stage, stage_bytes);
    hopper::copy_box(base + stage * stage_bytes, &w_map, step * wgmma_line, first_row, full + 8 * stage);
  };
  const auto copy_x = [&](int step, int stage) {
    for (int slab = 0; slab < 2; ++slab)
      hopper::copy_box(base + stage * stage_bytes + w_bytes + slab * slab_bytes, &x_map,
                       step * wgmma_line + slab * 64, first_token, full + 8 * stage);
  };
  // As in kernel.cuh, the first weights are requested before anything else.
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
    if (lane == 0) {
      hopper::Ring ring;
      for (int step = begin + stages; step < end; ++step) {
        hopper::barrier_wait(empty + 8 * ring.stage, ring.parity);
        copy_w(step, ring.stage);
        copy_x(step, ring.stage);
        ring.advance(stages);
      }
    }
    __syncwarp();
  } else {
    float sum[token_tiles][4] = {};
    const int group = lane / 4;
    const int quarter = lane % 4;
    hopper::Ring ring;
#pragma unroll 1
    for (int step = begin; step < end; ++step) {
      const Address stage = base + ring.stage * stage_bytes;
      hopper::barrier_wait(full + 8 * ring.stage, ring.parity);
#pragma unroll
      for (int piece = 0; piece < 2; ++piece) {
        uint4 w[2];
#pragma unroll
        for (int half = 0; half < 2; ++half)
          w[half] = hopper::load_shared(stage + (warp * 16 + half * 8 + group) * wgmma_line +
                                        ((piece * 4 + quarter) ^ group) * 16);
        uint4 x[token_tiles][2];
#pragma unroll
        for (int tile = 0; tile < token_tiles; ++tile)
#pragma unroll
          for (int i = 0; i < 2; ++i)
            x[tile][i] =
                hopper::load_shared(stage + w_bytes + piece * slab_bytes + (tile * 8 + group) * wgmma_line +
                                    ((quarter * 2 + i) ^ group) * 16);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const uint2 upper = bfloat16_of_int8(word_of(w[0], i));
          const uint2 lower = bfloat16_of_int8(word_of(w[1], i));
          const std::uint32_t a[4] = {upper.x, lower.x, upper.y, lower.y};
#pragma unroll
          for (int tile = 0; tile < token_tiles; ++tile)
            ampere::multiply<__nv_bfloat16>(sum[tile], a, word_of(x[tile][i / 2], i % 2 * 2),
                                            word_of(x[tile][i / 2], i % 2 * 2 + 1));
        }
      }
      __syncwarp();
      if (lane == 0) hopper::barrier_arrive(empty + 8 * ring.stage);
      ring.advance(stages);
    }
    // No warp may overwrite a stage that another warp still reads.
    hopper::group_sync(1);
    auto* const own = reinterpret_cast<float*>(shared);
#pragma unroll
    for (int tile = 0; tile < token_tiles; ++tile)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        own[(tile * 8 + quarter * 2 + i % 2) * split_sum_stride(stream_rows) + warp * 16 + i / 2 * 8 +
            group] = sum[tile][i];
  }
  split::add_sums<tokens, stream_rows, blocks, split_threads, false, true, float>(o, base, first_token,
                                                                                  first_row, rank);
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

template <std::size_t... index>
constexpr auto kernels_of(std::index_sequence<index...>) {
  return std::array{multiply_wide<stream_configs[index].tokens, stream_configs[index].stages,
                                  stream_configs[index].split>...};
}
/// The kernels, by the index of their configuration.
constexpr auto all_kernels = kernels_of(std::make_index_sequence<stream_configs.size()>{});

}  // namespace stream_wide

template <>
cudaError_t prepare_stream<Types::int8_w8a16>(std::size_t index, Scales) noexcept {
  return cuda::allow_shared_bytes(stream_wide::all_kernels[index],
                                  stream_shared_bytes(stream_configs[index], 2));
}

template <>
cudaError_t launch_stream<Types::int8_w8a16>(std::size_t index, const TensorMaps& maps,
                                             const DeviceOperands& operands, cudaStream_t stream) noexcept {
  const StreamConfig& config = stream_configs[index];
  const cuda::LaunchSize size = {.blocks = cuda::tiles_of(operands.out_features, stream_rows) * config.split,
                                 .threads = split_threads,
                                 .cluster = config.split,
                                 .shared_bytes = stream_shared_bytes(config, 2),
                                 .grid_rows = cuda::tiles_of(operands.tokens, config.tokens),
                                 .overlaps = operands.overlaps};
  return cuda::launch(stream_wide::all_kernels[index], size, stream, maps.x, maps.w, operands);
}

}  // namespace adaptive::kernels::quantized_matmul
