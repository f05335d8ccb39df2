#pragma once

#include <array>
#include <utility>

#include "kernels/common/cuda/launch.cuh"
#include "kernels/quantized_matmul/cuda/few/kernel.cuh"

namespace adaptive::kernels::quantized_matmul {

/// Two tiles of tokens and of rows would need more registers than there are (few_tokens_max()).
constexpr int rows_for(std::size_t index, int token_tiles) {
  return token_tiles > 1 ? 16 : few_configs[index].rows;
}

template <Types types, bool by_block, int token_tiles, std::size_t... index>
constexpr auto few_kernels_of(std::index_sequence<index...>) {
  return std::array{
      multiply_few<types, by_block, rows_for(index, token_tiles), few_configs[index].warps, token_tiles>...};
}
/// The kernels, by the index of their configuration.
template <Types types, bool by_block, int token_tiles>
constexpr auto few_kernels =
    few_kernels_of<types, by_block, token_tiles>(std::make_index_sequence<few_configs.size()>{});

template <Types types>
cudaError_t launch_few(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept {
  const FewConfig& config = few_configs[index];
  const cuda::LaunchSize size = {.blocks = cuda::tiles_of(operands.out_features, config.rows),
                                 .threads = config.warps * 32,
                                 .overlaps = operands.overlaps};
  const auto start = [&]<bool by_block>() {
    return operands.tokens <= 8
               ? cuda::launch(few_kernels<types, by_block, 1>[index], size, stream, operands)
               : cuda::launch(few_kernels<types, by_block, 2>[index], size, stream, operands);
  };
  if constexpr (types != Types::int8_w8a16)
    if (operands.scales == Scales::block128) return start.template operator()<true>();
  return start.template operator()<false>();
}

}  // namespace adaptive::kernels::quantized_matmul
