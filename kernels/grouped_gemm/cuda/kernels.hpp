#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/element.hpp"
#include "kernels/grouped_gemm/cuda/config.hpp"

// Our own kernels, as the host calls them. None waits or allocates; each returns what the launch returned.

namespace adaptive::kernels::grouped_gemm {

struct DeviceOperands {
  const void* x = nullptr;  ///< [tokens, k]
  const void* w = nullptr;  ///< [experts, n, k]
  void* y = nullptr;        ///< [tokens, n]
  /// [experts]: where the rows of each end in y; those of the first begin at 0.
  const int* ends = nullptr;
  /// [tokens]: the row of x for each of y, or null where they are the same.
  const int* row_of = nullptr;
  /// [2]: which tile is next and who has left, 0 between launches; launches that share it must not overlap.
  int* counter = nullptr;
  int tokens = 0, n = 0, k = 0, experts = 0;
  cuda::Element type = cuda::Element::bfloat16;
};

/// Any shape; the default where nothing better is known.
cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// to[i] = x[row_of[i]]: sorted rows for kernels that want them. k is a multiple of 8.
cudaError_t launch_gather(const DeviceOperands& operands, void* to, cudaStream_t stream) noexcept;

/// The rows of x in boxes of box_rows(), the weights in boxes of `columns`, both 64 deep, their 16-byte
/// pieces exchanged as the copy engine's 128-byte swizzle does.
struct TensorMaps {
  CUtensorMap x, w;
};

// One instantiation a type, bfloat16 and float16, each in a file of its own. `index` is that of a config;
// `blocks` are those of the grid, a multiple of the config's split.

/// For `mma_configs[index]`.
template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, int blocks,
                       cudaStream_t stream) noexcept;
/// For `wgmma_configs[index]`; reads x and w by the maps alone.
template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         int blocks, cudaStream_t stream) noexcept;

/// Allows the kernel its shared memory; once a device, before the first launch.
template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept;

}  // namespace adaptive::kernels::grouped_gemm
