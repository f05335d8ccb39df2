#pragma once

#include "kernels/common/cuda_element.cuh"
#include "kernels/common/with_index.cuh"
#include "kernels/grouped_gemm/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/wgmma_kernel.cuh"

namespace adaptive::kernels::grouped_gemm {

template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         int blocks, cudaStream_t stream) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<wgmma_configs.size()>(index, [&]<std::size_t i>() {
    constexpr Config config = wgmma_configs[i];
    cudaLaunchConfig_t launch{};
    launch.gridDim = dim3(static_cast<unsigned>(blocks));
    launch.blockDim = dim3(threads_of(config));
    launch.dynamicSmemBytes = shared_bytes(config);
    launch.stream = stream;
    cudaLaunchAttribute attribute{};
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = config.split;
    attribute.val.clusterDim.y = 1;
    attribute.val.clusterDim.z = 1;
    launch.attrs = &attribute;
    launch.numAttrs = config.split > 1 ? 1 : 0;
    return cudaLaunchKernelEx(&launch, grouped_wgmma<T, i>, maps.x, maps.w, static_cast<T*>(operands.y),
                              operands.ends, operands.counter, operands.n, operands.k, operands.experts);
  });
}

template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<wgmma_configs.size()>(index, [&]<std::size_t i>() {
    return cudaFuncSetAttribute(grouped_wgmma<T, i>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                shared_bytes(wgmma_configs[i]));
  });
}

}  // namespace adaptive::kernels::grouped_gemm
