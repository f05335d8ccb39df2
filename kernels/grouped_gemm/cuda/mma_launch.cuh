#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/grouped_gemm/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/mma_kernel.cuh"

namespace adaptive::kernels::grouped_gemm {

template <class T, class Outputs, std::size_t... index>
constexpr auto mma_kernels_of(std::index_sequence<index...>) {
  return std::array{grouped_mma<T, index, Outputs>...};
}
/// The kernels, by the index of their configuration.
template <class T, class Outputs>
constexpr auto mma_kernels = mma_kernels_of<T, Outputs>(std::make_index_sequence<mma_configs.size()>{});

template <class T, class Outputs>
cudaError_t prepare_mma_with(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(mma_kernels<T, Outputs>[index], shared_bytes(mma_configs[index]));
}

/// `outputs` decides what is done with the sums (outputs.cuh).
template <class T, class Outputs>
cudaError_t launch_mma_with(std::size_t index, const DeviceOperands& operands, const Outputs& outputs,
                            int blocks, cudaStream_t stream) noexcept {
  const Config& config = mma_configs[index];
  const cuda::LaunchSize size = {.blocks = blocks,
                                 .threads = threads_of(config),
                                 .cluster = config.split,
                                 .shared_bytes = shared_bytes(config),
                                 .overlaps = operands.overlaps};
  return cuda::launch(mma_kernels<T, Outputs>[index], size, stream, operands.x, operands.w, operands.y,
                      operands.ends, operands.row_of, operands.n, operands.k, operands.experts, outputs);
}

template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept {
  return prepare_mma_with<typename cuda::TypeOf<type>::Input, AllOutputs>(index);
}

template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, int blocks,
                       cudaStream_t stream) noexcept {
  return launch_mma_with<typename cuda::TypeOf<type>::Input>(index, operands, AllOutputs{operands.overlaps},
                                                             blocks, stream);
}

}  // namespace adaptive::kernels::grouped_gemm
