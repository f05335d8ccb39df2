#pragma once

#include "kernels/common/cuda_element.cuh"
#include "kernels/common/with_index.cuh"
#include "kernels/mixed_bit_matmul/cuda/mma_kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<mma_configs.size()>(index, [&]<std::size_t i>() {
    return cudaFuncSetAttribute(mixed_bit_mma<T, i>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                shared_bytes_max);
  });
}

template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<mma_configs.size()>(index, [&]<std::size_t i>() {
    constexpr MmaConfig config = mma_configs[i];
    const Stages stages = mma_stages(config, operands.tokens, operands.bits_max);
    cudaLaunchConfig_t launch{};
    launch.gridDim = dim3(static_cast<unsigned>((operands.blocks + config.blocks - 1) / config.blocks),
                          static_cast<unsigned>((operands.tokens + config.tokens - 1) / config.tokens));
    launch.blockDim = dim3(config.warps() * 32);
    launch.dynamicSmemBytes = static_cast<std::size_t>(stages.bytes);
    launch.stream = stream;
    return cudaLaunchKernelEx(&launch, mixed_bit_mma<T, i>, operands, stages.count);
  });
}

}  // namespace adaptive::kernels::mixed_bit_matmul
