#pragma once

#include "kernels/common/cuda_element.cuh"
#include "kernels/common/launch_in_clusters.cuh"
#include "kernels/common/with_index.cuh"
#include "kernels/grouped_gemm/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/mma_kernel.cuh"

namespace adaptive::kernels::grouped_gemm {

template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, int blocks,
                       cudaStream_t stream) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<mma_configs.size()>(index, [&]<std::size_t i>() {
    constexpr Config config = mma_configs[i];
    return cuda::launch_in_clusters(grouped_mma<T, i>,
                                    {blocks, threads_of(config), config.split, shared_bytes(config)}, stream,
                                    operands.x, operands.w, operands.y, operands.ends, operands.row_of,
                                    operands.n, operands.k, operands.experts);
  });
}

template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<mma_configs.size()>(index, [&]<std::size_t i>() {
    return cudaFuncSetAttribute(grouped_mma<T, i>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                shared_bytes(mma_configs[i]));
  });
}

}  // namespace adaptive::kernels::grouped_gemm
