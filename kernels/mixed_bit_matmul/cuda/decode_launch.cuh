#pragma once

#include "kernels/common/cuda_element.cuh"
#include "kernels/common/with_index.cuh"
#include "kernels/mixed_bit_matmul/cuda/decode_kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <cuda::Element type>
cudaError_t prepare_decode(std::size_t index) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<decode_configs.size()>(index, [&]<std::size_t i>() {
    return cudaFuncSetAttribute(mixed_bit_decode<T, i>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                shared_bytes_max);
  });
}

template <cuda::Element type>
cudaError_t launch_decode(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<decode_configs.size()>(index, [&]<std::size_t i>() {
    constexpr DecodeConfig config = decode_configs[i];
    cudaLaunchConfig_t launch{};
    launch.gridDim = dim3(static_cast<unsigned>((operands.pairs + config.pairs - 1) / config.pairs),
                          static_cast<unsigned>((operands.tokens + decode_tokens - 1) / decode_tokens));
    launch.blockDim = dim3(config.warps() * 32);
    launch.dynamicSmemBytes =
        static_cast<std::size_t>(decode_bytes(config, operands.tokens, operands.groups));
    launch.stream = stream;
    return cudaLaunchKernelEx(&launch, mixed_bit_decode<T, i>, operands);
  });
}

}  // namespace adaptive::kernels::mixed_bit_matmul
