#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/fused_moe/cuda/kernels.hpp"
#include "kernels/fused_moe/cuda/levels/kernels.hpp"
#include "kernels/fused_moe/cuda/levels/pairs.hpp"
#include "kernels/fused_moe/cuda/sizes.hpp"
#include "kernels/grouped_gemm/cuda/problem.hpp"

// A layer with weights of fewer than 16 bits as a sequence of kernels.

namespace adaptive::kernels::fused_moe::levels {

/// Whether device and code have what the pair requires.
bool available(const Pair& pair, const grouped_gemm::Capability& device);
/// Whether a layer of this shape can be launched where the pair is available.
bool supports(const Pair& pair, const DeviceSizes& sizes);
/// Bytes of the intermediate results. A null pair is the plain kernel.
std::uint64_t scratch_bytes(const Pair* pair, const DeviceSizes& sizes);

/// Intermediate results, which all variants of a problem share.
class Scratch {
 public:
  /// Allocates what the pair needs; a null pair is the plain kernel.
  void make(const Pair* pair, const DeviceSizes& sizes);

  using Bytes = cuda::DeviceBuffer<std::byte>;
  Bytes x_levels, sorted_levels;  ///< [tokens] or [pairs] rows of x
  Bytes h, h_levels;              ///< [pairs] rows
  Bytes z;                        ///< [pairs] rows of down
  cuda::DeviceBuffer<float> x_scales, sorted_scales, h_scales;
};

/// What a pair needs for its launches.
struct Prepared {
  int blocks_up = 0, blocks_down = 0;
  std::vector<TensorMaps> up, down;  ///< for each copy of the weights
};

/// Prepares the kernels of the current device for layers, one for each copy of the weights, which differ only
/// in these.
Prepared prepare(const Pair& pair, const DeviceSizes& sizes, const Scratch& scratch,
                 const std::vector<Layer>& layers, const grouped_gemm::Capability& device);

/// Enqueues a launch with copy `copy` of the weights.
cudaError_t enqueue(const Pair& pair, const Prepared& prepared, const Scratch& scratch, const Layer& layer,
                    const Alignment& alignment, std::size_t copy, bool overlaps,
                    cudaStream_t stream) noexcept;

/// Any layer, without alignment.
cudaError_t enqueue_plain(const Scratch& scratch, const Layer& layer, cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::fused_moe::levels
