#pragma once

#include "kernels/mixed_bit_matmul/cuda/balanced/config.hpp"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"

namespace adaptive::kernels::mixed_bit_matmul {

/// Memory of a launch of balanced kernels, which no other launch may use at the same time. The counters are
/// zero before and after a launch.
struct BalancedScratch {
  float4* sums = nullptr;   ///< [blocks] tiles
  int* counters = nullptr;  ///< [blocks][warp groups]
  int blocks = 0;           ///< blocks of threads of a launch, at most
};

/// Runs `balanced_configs[index]`; requires compute capability 9.0 and out_features a multiple of 8. `x_map`
/// describes x in boxes of balanced_box_tokens() rows and 64 columns. Call prepare_balanced() once before the
/// first launch.
template <cuda::Element type>
cudaError_t prepare_balanced(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t launch_balanced(std::size_t index, const CUtensorMap& x_map, const DeviceOperands& operands,
                            const BalancedScratch& scratch, cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
