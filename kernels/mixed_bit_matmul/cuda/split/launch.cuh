#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/mixed_bit_matmul/cuda/split/kernel.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template <class T, std::size_t... index>
constexpr auto split_kernels_of(std::index_sequence<index...>) {
  return std::array{mixed_bit_split<T, index>...};
}
/// The kernels, by the index of their tile.
template <cuda::Element type>
constexpr auto split_kernels =
    split_kernels_of<typename cuda::TypeOf<type>::Input>(std::make_index_sequence<split_tiles.size()>{});

template <cuda::Element type>
cudaError_t prepare_split(int tile) noexcept {
  return cuda::allow_shared_bytes(split_kernels<type>[tile], shared_bytes_max);
}

template <cuda::Element type>
cudaError_t launch_split(const SplitConfig& config, const CUtensorMap& x_map, const DeviceOperands& operands,
                         const SplitScratch& scratch, cudaStream_t stream) noexcept {
  const SplitTile& tile = split_tiles[config.tile];
  const SplitStages stages = split_stages(tile, operands.bits_max, config.parts);
  const int token_tiles = cuda::tiles_of(operands.tokens, tile.tokens);
  const int tiles = cuda::tiles_of(operands.blocks, tile.warps()) * token_tiles;
  const int units = operands.chunks() * (config.parts > 0 ? 1 : tiles);
  // As few blocks as can have no more chunks than the one with the most.
  const int most = cuda::tiles_of(units, scratch.blocks);
  const int blocks = config.parts > 0 ? config.parts : cuda::tiles_of(units, most);
  const SplitGrid grid = {
      .parts = config.parts, .each = units / blocks, .rest = units % blocks, .token_tiles = token_tiles};
  const cuda::LaunchSize size = {.blocks = config.parts > 0 ? tiles * config.parts : blocks,
                                 .threads = tile.threads(),
                                 .cluster = std::max(config.parts, 1),
                                 .shared_bytes = stages.bytes,
                                 .overlaps = operands.overlaps};
  return cuda::launch(split_kernels<type>[config.tile], size, stream, x_map, operands, stages, scratch, grid);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
