#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/launch.cuh"
#include "kernels/quantized_matmul/cuda/split/kernel.cuh"

namespace adaptive::kernels::quantized_matmul {

template <Types types, bool by_block, std::size_t... index>
constexpr auto split_kernels_of(std::index_sequence<index...>) {
  return std::array{multiply_split<types, by_block, split_configs[index].columns, split_configs[index].stages,
                                   split_configs[index].split>...};
}
/// The kernels, by the index of their configuration.
template <Types types, bool by_block>
constexpr auto split_kernels =
    split_kernels_of<types, by_block>(std::make_index_sequence<split_configs.size()>{});

template <Types types>
auto split_kernel_for(std::size_t index, Scales scales) {
  return scales == Scales::block128 ? split_kernels<types, true>[index] : split_kernels<types, false>[index];
}

template <Types types>
cudaError_t prepare_split(std::size_t index, Scales scales) noexcept {
  return cuda::allow_shared_bytes(split_kernel_for<types>(index, scales),
                                  split_shared_bytes(split_configs[index]));
}

template <Types types>
cudaError_t launch_split(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         cudaStream_t stream) noexcept {
  const SplitConfig& config = split_configs[index];
  const cuda::LaunchSize size = {
      .blocks = cuda::tiles_of(operands.out_features, config.columns) * config.split,
      .threads = split_threads,
      .cluster = config.split,
      .shared_bytes = split_shared_bytes(config),
      .grid_rows = cuda::tiles_of(operands.tokens, split_tokens)};
  return cuda::launch(split_kernel_for<types>(index, operands.scales), size, stream, maps.x, maps.w,
                      operands);
}

}  // namespace adaptive::kernels::quantized_matmul
