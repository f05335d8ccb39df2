#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/mixed_bit_matmul/cuda/mma/kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <class T, std::size_t... index>
constexpr auto mma_kernels_of(std::index_sequence<index...>) {
  return std::array{mixed_bit_mma<T, index>...};
}
/// The kernels, by the index of their configuration.
template <cuda::Element type>
constexpr auto mma_kernels =
    mma_kernels_of<typename cuda::TypeOf<type>::Input>(std::make_index_sequence<mma_configs.size()>{});

template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(mma_kernels<type>[index], shared_bytes_max);
}

template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept {
  const MmaConfig& config = mma_configs[index];
  const Stages stages = mma_stages(config, operands.tokens, operands.bits_max);
  const cuda::LaunchSize size = {.blocks = cuda::tiles_of(operands.blocks, config.blocks),
                                 .threads = config.warps() * 32,
                                 .shared_bytes = stages.bytes,
                                 .grid_rows = cuda::tiles_of(operands.tokens, config.tokens),
                                 .overlaps = operands.overlaps};
  return cuda::launch(mma_kernels<type>[index], size, stream, operands, stages.count);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
