#include <algorithm>
#include <array>
#include <utility>

#include "kernels/ragged_paged_attention/cuda/launch.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/kernel.cuh"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

using WgmmaKernel = decltype(&attend_wgmma<64, 0>);

/// Null if the configuration has no kernel for the head.
template <int head, std::size_t index>
constexpr WgmmaKernel wgmma_kernel() {
  if constexpr (wgmma_fits(wgmma_configs[index], head)) return &attend_wgmma<head, index>;
  return nullptr;
}

template <std::size_t... index>
WgmmaKernel kernel_of(std::size_t wanted, int head_size, std::index_sequence<index...>) {
  return for_head(head_size, [&]<int head>() {
    constexpr std::array<WgmmaKernel, sizeof...(index)> kernels = {wgmma_kernel<head, index>()...};
    return kernels[wanted];
  });
}

WgmmaKernel kernel_of(std::size_t wanted, int head_size) {
  return kernel_of(wanted, head_size, std::make_index_sequence<wgmma_configs.size()>{});
}

}  // namespace

cudaError_t prepare_wgmma(std::size_t index, int head_size) noexcept {
  return cuda::allow_shared_bytes(kernel_of(index, head_size),
                                  wgmma_shared_bytes(wgmma_configs[index], head_size));
}

cudaError_t launch_wgmma(std::size_t index, const CUtensorMap& keys, const CUtensorMap& values,
                         const DeviceOperands& o, RowRange range, int* counter, int multiprocessors,
                         cudaStream_t stream) noexcept {
  const WgmmaConfig& config = wgmma_configs[index];
  const auto tiles = static_cast<int>(tile_count(o, config.rows()));
  const cuda::LaunchSize size = {
      .blocks = config.resident ? std::min(tiles * o.kv_heads, multiprocessors) : tiles * o.kv_heads,
      .threads = config.threads(),
      .shared_bytes = wgmma_shared_bytes(config, o.head_size)};
  return cuda::launch(kernel_of(index, o.head_size), size, stream, keys, values, o, range, tiles, counter);
}

}  // namespace adaptive::kernels::ragged_paged_attention
