#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/grouped_gemm/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/mma_kernel.cuh"

namespace adaptive::kernels::grouped_gemm {

template <class T, std::size_t... index>
constexpr auto mma_kernels_of(std::index_sequence<index...>) {
  return std::array{grouped_mma<T, index>...};
}
/// The kernels, by the index of their configuration.
template <cuda::Element type>
constexpr auto mma_kernels =
    mma_kernels_of<typename cuda::TypeOf<type>::Input>(std::make_index_sequence<mma_configs.size()>{});

template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(mma_kernels<type>[index], shared_bytes(mma_configs[index]));
}

template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, int blocks,
                       cudaStream_t stream) noexcept {
  const Config& config = mma_configs[index];
  const cuda::LaunchSize size = {.blocks = blocks,
                                 .threads = threads_of(config),
                                 .cluster = config.split,
                                 .shared_bytes = shared_bytes(config)};
  return cuda::launch(mma_kernels<type>[index], size, stream, operands.x, operands.w, operands.y,
                      operands.ends, operands.row_of, operands.n, operands.k, operands.experts);
}

}  // namespace adaptive::kernels::grouped_gemm
