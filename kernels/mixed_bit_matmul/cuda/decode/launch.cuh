#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/mixed_bit_matmul/cuda/decode/kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <class T, std::size_t... index>
constexpr auto decode_kernels_of(std::index_sequence<index...>) {
  return std::array{mixed_bit_decode<T, index>...};
}
/// The kernels, by the index of their configuration.
template <cuda::Element type>
constexpr auto decode_kernels =
    decode_kernels_of<typename cuda::TypeOf<type>::Input>(std::make_index_sequence<decode_configs.size()>{});

template <cuda::Element type>
cudaError_t prepare_decode(std::size_t index) noexcept {
  return cuda::allow_shared_bytes(decode_kernels<type>[index], shared_bytes_max);
}

template <cuda::Element type>
cudaError_t launch_decode(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept {
  const DecodeConfig& config = decode_configs[index];
  const cuda::LaunchSize size = {
      .blocks = cuda::tiles_of(operands.pairs, config.pairs),
      .threads = config.warps() * 32,
      .shared_bytes = static_cast<int>(decode_bytes(config, operands.tokens, operands.groups)),
      .grid_rows = cuda::tiles_of(operands.tokens, decode_tokens),
      .overlaps = operands.overlaps};
  return cuda::launch(decode_kernels<type>[index], size, stream, operands);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
