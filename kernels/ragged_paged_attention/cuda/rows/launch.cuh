#pragma once

#include <array>
#include <utility>

#include "kernels/ragged_paged_attention/cuda/launch.cuh"
#include "kernels/ragged_paged_attention/cuda/rows/kernel.cuh"

namespace adaptive::kernels::ragged_paged_attention {

using RowsKernel = void (*)(DeviceOperands, RowRange, Parts, int, int, bool);

/// Null if the configuration has no kernel for the head.
template <bool float8, int head, std::size_t index>
constexpr RowsKernel rows_kernel() {
  if constexpr (rows_fits(rows_configs[index], head)) return &attend_rows<float8, head, index>;
  return nullptr;
}

template <bool float8, int head, std::size_t... index>
constexpr auto rows_kernels_of(std::index_sequence<index...>) {
  return std::array<RowsKernel, sizeof...(index)>{rows_kernel<float8, head, index>()...};
}
/// The kernels, by the index of their configuration.
template <bool float8, int head>
constexpr auto rows_kernels = rows_kernels_of<float8, head>(std::make_index_sequence<rows_configs.size()>{});

template <bool float8>
cudaError_t prepare_rows(std::size_t index, int head_size) noexcept {
  return for_head(head_size, [&]<int head>() {
    return cuda::allow_shared_bytes(rows_kernels<float8, head>[index],
                                    rows_shared_bytes(rows_configs[index], head, float8 ? 1 : 2));
  });
}

template <bool float8>
cudaError_t launch_rows(std::size_t index, const DeviceOperands& o, RowRange range, const Parts& parts,
                        bool stores, bool overlaps, cudaStream_t stream) noexcept {
  const RowsConfig& config = rows_configs[index];
  const int most = part_count(o, config.part);
  return for_head(o.head_size, [&]<int head>() {
    const cuda::LaunchSize size = {.blocks = static_cast<int>(tile_count(o, rows_height) * o.kv_heads * most),
                                   .threads = 32 * config.warps,
                                   .shared_bytes = rows_shared_bytes(config, head, float8 ? 1 : 2),
                                   .overlaps = overlaps};
    return cuda::launch(rows_kernels<float8, head>[index], size, stream, o, range, parts, most, part_rows(o),
                        stores);
  });
}

}  // namespace adaptive::kernels::ragged_paged_attention
