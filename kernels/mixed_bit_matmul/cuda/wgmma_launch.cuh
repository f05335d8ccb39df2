#pragma once

#include "kernels/common/cuda_element.cuh"
#include "kernels/common/with_index.cuh"
#include "kernels/mixed_bit_matmul/cuda/wgmma_kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<wgmma_configs.size()>(index, [&]<std::size_t i>() {
    return cudaFuncSetAttribute(mixed_bit_wgmma<T, i>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                shared_bytes_max);
  });
}

template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const CUtensorMap& x_map, const DeviceOperands& operands,
                         cudaStream_t stream) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<wgmma_configs.size()>(index, [&]<std::size_t i>() {
    constexpr WgmmaConfig config = wgmma_configs[i];
    const Stages stages = wgmma_stages(config, operands.bits_max);
    cudaLaunchConfig_t launch{};
    cudaLaunchAttribute cluster{};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim = {static_cast<unsigned>(config.cluster), 1, 1};
    launch.attrs = &cluster;
    launch.numAttrs = config.cluster > 1 ? 1 : 0;
    // Tiles of rows first: what is at work at once shares the activations of few tokens, and all weights fit
    // the cache.
    constexpr int rows = config.rows * config.cluster;
    launch.gridDim = dim3(static_cast<unsigned>((operands.out_features + rows - 1) / rows * config.cluster),
                          static_cast<unsigned>((operands.tokens + config.tokens - 1) / config.tokens));
    launch.blockDim = dim3(config.threads());
    launch.dynamicSmemBytes = static_cast<std::size_t>(stages.bytes);
    launch.stream = stream;
    return cudaLaunchKernelEx(&launch, mixed_bit_wgmma<T, i>, x_map, operands, stages.count);
  });
}

}  // namespace adaptive::kernels::mixed_bit_matmul
