#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/ragged_paged_attention/cuda/launch.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/kernel.cuh"

namespace adaptive::kernels::ragged_paged_attention {

using WgmmaKernel = void (*)(CacheMaps, DeviceOperands, RowRange, int, int*);

/// Null if the configuration has no kernel for the head.
template <bool float8, int head, std::size_t index>
constexpr WgmmaKernel wgmma_kernel() {
  if constexpr (wgmma_fits(wgmma_configs[index], head, float8 ? 1 : 2))
    return &attend_wgmma<float8, head, index>;
  return nullptr;
}

template <bool float8, std::size_t... index>
WgmmaKernel wgmma_kernel_of(std::size_t wanted, int head_size, std::index_sequence<index...>) {
  return for_head(head_size, [&]<int head>() {
    constexpr std::array<WgmmaKernel, sizeof...(index)> kernels = {wgmma_kernel<float8, head, index>()...};
    return kernels[wanted];
  });
}

template <bool float8>
WgmmaKernel wgmma_kernel_of(std::size_t wanted, int head_size) {
  return wgmma_kernel_of<float8>(wanted, head_size, std::make_index_sequence<wgmma_configs.size()>{});
}

template <bool float8>
cudaError_t prepare_wgmma(std::size_t index, int head_size) noexcept {
  return cuda::allow_shared_bytes(wgmma_kernel_of<float8>(index, head_size),
                                  wgmma_shared_bytes(wgmma_configs[index], head_size, float8 ? 1 : 2));
}

template <bool float8>
cudaError_t launch_wgmma(std::size_t index, const CacheMaps& maps, const DeviceOperands& o, RowRange range,
                         int* counter, int multiprocessors, cudaStream_t stream) noexcept {
  const WgmmaConfig& config = wgmma_configs[index];
  const auto tiles = static_cast<int>(tile_count(o, config.rows()));
  const cuda::LaunchSize size = {.blocks = std::min(tiles * o.kv_heads, multiprocessors),
                                 .threads = wgmma_threads(config, o.head_size, float8 ? 1 : 2),
                                 .shared_bytes = wgmma_shared_bytes(config, o.head_size, float8 ? 1 : 2),
                                 .overlaps = true};
  return cuda::launch(wgmma_kernel_of<float8>(index, o.head_size), size, stream, maps, o, range, tiles,
                      counter);
}

}  // namespace adaptive::kernels::ragged_paged_attention
