#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/grouped_gemm/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/wgmma_kernel.cuh"

namespace adaptive::kernels::grouped_gemm {

template <class T, class Outputs, std::size_t... index>
constexpr auto wgmma_kernels_of(std::index_sequence<index...>) {
  return std::array{grouped_wgmma<T, index, Outputs>...};
}
/// The kernels, by the index of their configuration.
template <class T, class Outputs>
constexpr auto wgmma_kernels = wgmma_kernels_of<T, Outputs>(std::make_index_sequence<wgmma_configs.size()>{});

template <class T, class Outputs>
cudaError_t prepare_wgmma_with(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(wgmma_kernels<T, Outputs>[index], shared_bytes(wgmma_configs[index]));
}

/// `outputs` decides what is done with the sums (outputs.cuh).
template <class T, class Outputs>
cudaError_t launch_wgmma_with(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                              const Outputs& outputs, int blocks, cudaStream_t stream) noexcept {
  const Config& config = wgmma_configs[index];
  const cuda::LaunchSize size = {.blocks = blocks,
                                 .threads = threads_of(config),
                                 .cluster = config.split,
                                 .shared_bytes = shared_bytes(config),
                                 .overlaps = operands.overlaps};
  return cuda::launch(wgmma_kernels<T, Outputs>[index], size, stream, maps.x, maps.w, operands.y,
                      operands.ends, operands.counter, operands.n, operands.k, operands.experts, outputs);
}

template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept {
  return prepare_wgmma_with<typename cuda::TypeOf<type>::Input, AllOutputs>(index);
}

template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         int blocks, cudaStream_t stream) noexcept {
  return launch_wgmma_with<typename cuda::TypeOf<type>::Input>(index, maps, operands,
                                                               AllOutputs{operands.overlaps}, blocks, stream);
}

}  // namespace adaptive::kernels::grouped_gemm
