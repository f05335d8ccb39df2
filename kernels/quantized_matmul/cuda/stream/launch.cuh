#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/launch.cuh"
#include "kernels/quantized_matmul/cuda/stream/kernel.cuh"

namespace adaptive::kernels::quantized_matmul {

template <Types types, bool by_block, std::size_t... index>
constexpr auto stream_kernels_of(std::index_sequence<index...>) {
  return std::array{multiply_stream<types, by_block, stream_configs[index].tokens,
                                    stream_configs[index].stages, stream_configs[index].split>...};
}
/// The kernels, by the index of their configuration.
template <Types types, bool by_block>
constexpr auto stream_kernels =
    stream_kernels_of<types, by_block>(std::make_index_sequence<stream_configs.size()>{});

template <Types types>
auto stream_kernel_for(std::size_t index, Scales scales) {
  return scales == Scales::block128 ? stream_kernels<types, true>[index]
                                    : stream_kernels<types, false>[index];
}

template <Types types>
cudaError_t prepare_stream(std::size_t index, Scales scales) noexcept {
  return cuda::allow_shared_bytes(stream_kernel_for<types>(index, scales),
                                  stream_shared_bytes(stream_configs[index], 1, scales == Scales::block128));
}

template <Types types>
cudaError_t launch_stream(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                          cudaStream_t stream) noexcept {
  const StreamConfig& config = stream_configs[index];
  const cuda::LaunchSize size = {
      .blocks = cuda::tiles_of(operands.out_features, stream_rows) * config.split,
      .threads = split_threads,
      .cluster = config.split,
      .shared_bytes = stream_shared_bytes(config, 1, operands.scales == Scales::block128),
      .grid_rows = cuda::tiles_of(operands.tokens, config.tokens),
      .overlaps = operands.overlaps};
  return cuda::launch(stream_kernel_for<types>(index, operands.scales), size, stream, maps.x, maps.w,
                      operands);
}

}  // namespace adaptive::kernels::quantized_matmul
