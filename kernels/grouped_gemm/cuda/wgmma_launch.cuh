#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/grouped_gemm/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/wgmma_kernel.cuh"

namespace adaptive::kernels::grouped_gemm {

template <class T, std::size_t... index>
constexpr auto wgmma_kernels_of(std::index_sequence<index...>) {
  return std::array{grouped_wgmma<T, index>...};
}
/// The kernels, by the index of their configuration.
template <cuda::Element type>
constexpr auto wgmma_kernels =
    wgmma_kernels_of<typename cuda::TypeOf<type>::Input>(std::make_index_sequence<wgmma_configs.size()>{});

template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(wgmma_kernels<type>[index], shared_bytes(wgmma_configs[index]));
}

template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         int blocks, cudaStream_t stream) noexcept {
  const Config& config = wgmma_configs[index];
  const cuda::LaunchSize size = {.blocks = blocks,
                                 .threads = threads_of(config),
                                 .cluster = config.split,
                                 .shared_bytes = shared_bytes(config)};
  return cuda::launch(wgmma_kernels<type>[index], size, stream, maps.x, maps.w, operands.y, operands.ends,
                      operands.counter, operands.n, operands.k, operands.experts);
}

}  // namespace adaptive::kernels::grouped_gemm
