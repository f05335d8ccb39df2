#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/mixed_bit_matmul/cuda/wgmma/kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <class T, std::size_t... index>
constexpr auto wgmma_kernels_of(std::index_sequence<index...>) {
  return std::array{mixed_bit_wgmma<T, index>...};
}
/// The kernels, by the index of their configuration.
template <cuda::Element type>
constexpr auto wgmma_kernels =
    wgmma_kernels_of<typename cuda::TypeOf<type>::Input>(std::make_index_sequence<wgmma_configs.size()>{});

template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(wgmma_kernels<type>[index], shared_bytes_max);
}

template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const CUtensorMap& x_map, const DeviceOperands& operands,
                         cudaStream_t stream) noexcept {
  const WgmmaConfig& config = wgmma_configs[index];
  const Stages stages = wgmma_stages(config, operands.bits_max);
  // Tiles of rows come first: blocks that run at the same time share the activations of few tokens, and all
  // weights fit the cache.
  const cuda::LaunchSize size = {.blocks = cuda::tiles_of(operands.out_features, config.rows),
                                 .threads = config.threads(),
                                 .shared_bytes = stages.bytes,
                                 .grid_rows = cuda::tiles_of(operands.tokens, config.tokens)};
  return cuda::launch(wgmma_kernels<type>[index], size, stream, x_map, operands, stages.count);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
