#include <array>
#include <utility>

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/cuda/levels.cuh"
#include "kernels/quantized_matmul/cuda/split/exchange.cuh"

// int8 weights with activations in bfloat16, for more than a few tokens. The copy engine loads both. The
// warps that multiply first convert the weights of a stage to bfloat16, exactly, in one of two buffers of
// shared memory, while the previous stage is being multiplied from the other. The scales are applied to the
// sums. split/exchange.cuh has the end of a tile.

namespace adaptive::kernels::quantized_matmul {
namespace convert {

using hopper::Address;

/// Makes ordinary writes to shared memory visible to wgmma, which reads it as the copy engine does.
__device__ inline void fence_for_wgmma() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Synchronises the threads that multiply.
template <int threads>
__device__ void sync_multipliers() {
  asm volatile("bar.sync 1, %0;" ::"n"(threads) : "memory");
}

/// Converts 128 columns of a stage's weights to two slabs of 64. A thread takes 16 columns of a row at a
/// time. Both sides have the 128-byte swizzle.
template <int columns, int threads>
__device__ void convert_stage(Address from, Address to) {
#pragma unroll
  for (int first = 0; first < columns * 8; first += threads) {
    const int at = first + static_cast<int>(threadIdx.x);
    const int row = at / 8;
    const int piece = at % 8;
    const uint4 levels = hopper::load_shared(from + row * wgmma_line + (piece ^ row % 8) * 16);
    const uint2 a = bfloat16_of_int8(levels.x), b = bfloat16_of_int8(levels.y);
    const uint2 c = bfloat16_of_int8(levels.z), d = bfloat16_of_int8(levels.w);
    const Address line = to + (piece / 4 * columns + row) * wgmma_line;
    const int low = piece % 4 * 2;
    // Threads whose pieces go to the second slab store in the other order, so that the stores of eight
    // threads go to different banks.
    const bool swapped = piece >= 4;
    const uint4 lower = {a.x, a.y, b.x, b.y};
    const uint4 upper = {c.x, c.y, d.x, d.y};
    hopper::store_shared(line + ((low + swapped) ^ row % 8) * 16, swapped ? upper : lower);
    hopper::store_shared(line + ((low + !swapped) ^ row % 8) * 16, swapped ? lower : upper);
  }
}

template <int tokens, int columns, int stages, int blocks>
__global__ void __launch_bounds__(ConvertConfig{tokens, columns, stages, blocks}.threads())
    multiply_converted(const __grid_constant__ CUtensorMap x_map, const __grid_constant__ CUtensorMap w_map,
                       const __grid_constant__ DeviceOperands o) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr ConvertConfig config = {tokens, columns, stages, blocks};
  constexpr int multipliers = 128 * config.groups();
  constexpr int stage_bytes = convert_stage_bytes(config);
  constexpr int slab_bytes = tokens * wgmma_line;  // of x
  constexpr int w_in_stage = 2 * slab_bytes;
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<Address>(__cvta_generic_to_shared(shared));
  const Address converted = base + stages * stage_bytes;
  const Address full = base + convert_barriers(config);
  const Address empty = full + 8 * stages;
  const int thread = static_cast<int>(threadIdx.x);
  const int warp = __shfl_sync(0xFFFFFFFFu, thread / 32, 0);
  const int lane = thread % 32;
  if (thread == multipliers) {
    hopper::prefetch_map(&x_map);
    hopper::prefetch_map(&w_map);
    for (int stage = 0; stage < stages; ++stage) {
      hopper::barrier_init(full + 8 * stage, 1);
      hopper::barrier_init(empty + 8 * stage, 4 * config.groups());
    }
    hopper::fence_barrier_init();
  }
  __syncthreads();

  const int rank = static_cast<int>(blockIdx.x) % blocks;
  const int column0 = static_cast<int>(blockIdx.x) / blocks * columns;
  const int row0 = static_cast<int>(blockIdx.y) * tokens;
  const int steps = (o.in_features + wgmma_line - 1) / wgmma_line;
  const int begin = steps * rank / blocks;
  const int end = steps * (rank + 1) / blocks;
  if (warp == 4 * config.groups()) {
    if (lane == 0) {
      hopper::Ring ring;
      for (int step = begin; step < end; ++step) {
        const Address stage = base + ring.stage * stage_bytes;
        const Address arrived = full + 8 * ring.stage;
        hopper::barrier_wait(empty + 8 * ring.stage, ring.parity ^ 1);
        hopper::barrier_expect(arrived, stage_bytes);
        for (int slab = 0; slab < 2; ++slab)
          hopper::copy_box(stage + slab * slab_bytes, &x_map, step * wgmma_line + slab * convert_line, row0,
                           arrived);
        hopper::copy_box(stage + w_in_stage, &w_map, step * wgmma_line, column0, arrived);
        ring.advance(stages);
      }
    }
    __syncwarp();
  } else {
    float sum[columns / 2] = {};
    hopper::Ring ring;
    Address before = 0;
    hopper::pin(sum);  // so that the zeros are in place before a product begins
#pragma unroll 1
    for (int step = begin; step < end; ++step) {
      const Address stage = base + ring.stage * stage_bytes;
      const Address weights = converted + (step - begin) % 2 * converted_bytes(config);
      hopper::barrier_wait(full + 8 * ring.stage, ring.parity);
      // The buffer was multiplied two steps ago, for which each warp has waited in the previous step.
      sync_multipliers<multipliers>();
      convert_stage<columns, multipliers>(stage + w_in_stage, weights);
      fence_for_wgmma();
      sync_multipliers<multipliers>();
      const std::uint64_t x_at = hopper::describe(stage + warp / 4 * 64 * wgmma_line);
      const std::uint64_t w_at = hopper::describe(weights);
      hopper::wgmma_fence();
#pragma unroll
      for (int k16 = 0; k16 < wgmma_line / 16; ++k16) {
        const int slab = k16 / 4;
        const int into = k16 % 4 * 32;
        hopper::Multiply<__nv_bfloat16, columns>::run(
            sum, x_at + hopper::steps_of(slab * slab_bytes + into),
            w_at + hopper::steps_of(slab * columns * wgmma_line + into), 1);
      }
      hopper::wgmma_commit();
      if (step > begin) {
        hopper::wgmma_wait<1>();
        if (lane == 0) hopper::barrier_arrive(before);
      }
      before = empty + 8 * ring.stage;
      ring.advance(stages);
    }
    hopper::wgmma_wait<0>();
    hopper::pin(sum);
    // No warp may overwrite a stage that another warp still multiplies.
    sync_multipliers<multipliers>();
    split::leave_sums<columns>(reinterpret_cast<float*>(shared), sum, warp / 4 * 64);
  }
  split::add_sums<tokens, columns, blocks, config.threads(), false, true, float>(o, base, row0, column0,
                                                                                 rank);
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

template <std::size_t... index>
constexpr auto kernels_of(std::index_sequence<index...>) {
  return std::array{multiply_converted<convert_configs[index].tokens, convert_configs[index].columns,
                                       convert_configs[index].stages, convert_configs[index].split>...};
}
/// The kernels, by the index of their configuration.
constexpr auto all_kernels = kernels_of(std::make_index_sequence<convert_configs.size()>{});

}  // namespace convert

cudaError_t prepare_convert(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(convert::all_kernels[index], convert_shared_bytes(convert_configs[index]));
}

cudaError_t launch_convert(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                           cudaStream_t stream) noexcept {
  const ConvertConfig& config = convert_configs[index];
  const cuda::LaunchSize size = {
      .blocks = cuda::tiles_of(operands.out_features, config.columns) * config.split,
      .threads = config.threads(),
      .cluster = config.split,
      .shared_bytes = convert_shared_bytes(config),
      .grid_rows = cuda::tiles_of(operands.tokens, config.tokens)};
  return cuda::launch(convert::all_kernels[index], size, stream, maps.x, maps.w, operands);
}

}  // namespace adaptive::kernels::quantized_matmul
