#pragma once

#include <array>
#include <type_traits>
#include <utility>

#include "kernels/common/cuda/launch.cuh"
#include "kernels/quantized_matmul/cuda/wgmma/kernel.cuh"

namespace adaptive::kernels::quantized_matmul {

using WgmmaKernel = void (*)(CUtensorMap, CUtensorMap, DeviceOperands, int);

/// Null if there is no such kernel.
template <Types types, bool by_block, std::size_t index>
constexpr WgmmaKernel wgmma_kernel() {
  constexpr WgmmaConfig config = wgmma_configs[index];
  if constexpr (config.turns && by_block)
    return nullptr;
  else
    return multiply_wgmma<types, by_block, config.tokens, config.columns, config.stages, config.cluster,
                          config.turns>;
}
template <Types types, bool by_block, std::size_t... index>
constexpr auto wgmma_kernels_of(std::index_sequence<index...>) {
  return std::array{wgmma_kernel<types, by_block, index>()...};
}
/// The kernels, by the index of their configuration.
template <Types types, bool by_block>
constexpr auto wgmma_kernels =
    wgmma_kernels_of<types, by_block>(std::make_index_sequence<wgmma_configs.size()>{});

template <Types types>
WgmmaKernel wgmma_kernel_for(std::size_t index, Scales scales) {
  return scales == Scales::block128 ? wgmma_kernels<types, true>[index] : wgmma_kernels<types, false>[index];
}

template <Types types>
cudaError_t prepare_wgmma(std::size_t index, Scales scales) noexcept {
  return cuda::allow_shared_bytes(wgmma_kernel_for<types>(index, scales),
                                  wgmma_shared_bytes(wgmma_configs[index]));
}

template <Types types>
cudaError_t launch_wgmma(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         int blocks, cudaStream_t stream) noexcept {
  const WgmmaConfig& config = wgmma_configs[index];
  const cuda::LaunchSize size = {.blocks = blocks,
                                 .threads = config.threads(),
                                 .cluster = config.cluster,
                                 .shared_bytes = wgmma_shared_bytes(config)};
  return cuda::launch(wgmma_kernel_for<types>(index, operands.scales), size, stream, maps.x, maps.w, operands,
                      config.band);
}

}  // namespace adaptive::kernels::quantized_matmul
