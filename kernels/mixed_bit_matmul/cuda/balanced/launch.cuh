#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/mixed_bit_matmul/cuda/balanced/kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <class T, std::size_t... index>
constexpr auto balanced_kernels_of(std::index_sequence<index...>) {
  return std::array{mixed_bit_balanced<T, index>...};
}
/// The kernels, by the index of their configuration.
template <cuda::Element type>
constexpr auto balanced_kernels = balanced_kernels_of<typename cuda::TypeOf<type>::Input>(
    std::make_index_sequence<balanced_configs.size()>{});

template <cuda::Element type>
cudaError_t prepare_balanced(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(balanced_kernels<type>[index], shared_bytes_max);
}

template <cuda::Element type>
cudaError_t launch_balanced(std::size_t index, const CUtensorMap& x_map, const DeviceOperands& operands,
                            const BalancedScratch& scratch, cudaStream_t stream) noexcept {
  const BalancedConfig& config = balanced_configs[index];
  const BalancedStages stages = balanced_stages(config, operands.bits_max);
  const int token_tiles = cuda::tiles_of(operands.tokens, config.tokens);
  const BalancedGrid grid = balanced_grid(cuda::tiles_of(operands.blocks, config.warps()) * token_tiles,
                                          operands.groups, scratch.blocks);
  const cuda::LaunchSize size = {.blocks = grid.blocks,
                                 .threads = config.threads(),
                                 .shared_bytes = stages.bytes,
                                 .overlaps = operands.overlaps};
  return cuda::launch(balanced_kernels<type>[index], size, stream, x_map, operands, stages, scratch, grid,
                      token_tiles);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
