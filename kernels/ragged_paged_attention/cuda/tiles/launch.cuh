#pragma once

#include <array>
#include <utility>

#include "kernels/ragged_paged_attention/cuda/launch.cuh"
#include "kernels/ragged_paged_attention/cuda/tiles/kernel.cuh"

namespace adaptive::kernels::ragged_paged_attention {

template <bool float8, int head, std::size_t... index>
constexpr auto tiles_kernels_of(std::index_sequence<index...>) {
  return std::array{attend_tiles<float8, head, index>...};
}
/// The kernels, by the index of their configuration.
template <bool float8, int head>
constexpr auto tiles_kernels =
    tiles_kernels_of<float8, head>(std::make_index_sequence<tiles_configs.size()>{});

template <bool float8>
cudaError_t prepare_tiles(std::size_t index, int head_size) noexcept {
  return for_head(head_size, [&]<int head>() {
    return cuda::allow_shared_bytes(tiles_kernels<float8, head>[index],
                                    tiles_shared_bytes(tiles_configs[index], head, float8 ? 1 : 2));
  });
}

template <bool float8>
cudaError_t launch_tiles(std::size_t index, const DeviceOperands& o, RowRange range,
                         cudaStream_t stream) noexcept {
  const TilesConfig& config = tiles_configs[index];
  const auto tiles = static_cast<int>(tile_count(o, config.rows()));
  return for_head(o.head_size, [&]<int head>() {
    const cuda::LaunchSize size = {.blocks = tiles * o.kv_heads,
                                   .threads = 32 * config.warps,
                                   .shared_bytes = tiles_shared_bytes(config, head, float8 ? 1 : 2)};
    return cuda::launch(tiles_kernels<float8, head>[index], size, stream, o, range, tiles);
  });
}

}  // namespace adaptive::kernels::ragged_paged_attention
