#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/element.hpp"
#include "kernels/grouped_gemm/cuda/config.hpp"

// The library's own kernels, as the host calls them. No function waits or allocates; each returns the status
// of its launch.

namespace adaptive::kernels::grouped_gemm {

struct DeviceOperands {
  const void* x = nullptr;  ///< [tokens, k]
  const void* w = nullptr;  ///< [experts, n, k]
  void* y = nullptr;        ///< [tokens, n]
  /// [experts]: the end of each expert's rows in y; the rows of the first expert begin at 0.
  const int* ends = nullptr;
  /// [tokens]: the row of x for each row of y; null if they are the same.
  const int* row_of = nullptr;
  /// [2]: the number of the next tile and the number of blocks that have finished; both are 0 between
  /// launches. Launches that share it must not overlap.
  int* counter = nullptr;
  int tokens = 0, n = 0, k = 0, experts = 0;
  cuda::Element type = cuda::Element::bfloat16;
  /// The launch may begin before the kernel ahead of it in the stream has finished. That kernel may write
  /// only x; everything else is complete when it begins. Requires the code of compute capability 9.0.
  bool overlaps = false;
};

/// Runs any shape. The default if nothing better is known.
cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// Computes to[i] = x[row_of[i]], for kernels that need sorted rows. k is a multiple of 8.
cudaError_t launch_gather(const DeviceOperands& operands, void* to, cudaStream_t stream) noexcept;

/// Maps of the rows of x in boxes of box_rows() and of the weights in boxes of `columns`. Both are 64
/// elements deep, with their 16-byte pieces permuted by the copy engine's 128-byte swizzle.
struct TensorMaps {
  CUtensorMap x, w;
};

// One instantiation for each type, bfloat16 and float16, in a file of its own. `index` is the index of a
// config. `blocks` is the number of blocks of the grid, a multiple of the config's split.

/// Runs `mma_configs[index]`.
template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, int blocks,
                       cudaStream_t stream) noexcept;
/// Runs `wgmma_configs[index]`, which reads x and w only through the maps.
template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         int blocks, cudaStream_t stream) noexcept;

/// Allows the kernel its shared memory. Call it once for each device, before the first launch.
template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept;

}  // namespace adaptive::kernels::grouped_gemm
