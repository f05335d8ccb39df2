#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/element.hpp"
#include "kernels/mixed_bit_matmul/cuda/config.hpp"

// Our own kernels, as the host calls them. None waits or allocates; each returns what the launch returned.

namespace adaptive::kernels::mixed_bit_matmul {

/// The operands of ../operands.hpp on a GPU: x, y, scales and offsets in the type of the activations, the
/// words of each block and group in the order in which a warp multiplies them (see repack.cuh).
struct DeviceOperands {
  const void* x = nullptr;               ///< [tokens][groups * 64]
  const std::uint32_t* words = nullptr;  ///< of block b from words_at[b] on, [groups][bits][32]
  const std::int64_t* words_at = nullptr;
  const int* block_bits = nullptr;
  const void* scales = nullptr;  ///< [blocks][groups][16] pairs of scale and offset
  void* y = nullptr;             ///< [tokens][out_features]
  int tokens = 0, out_features = 0, groups = 0, blocks = 0;
  cuda::Element type = cuda::Element::bfloat16;
};

/// Any shape; the default where nothing better is known.
cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// For `mma_configs[index]`; compute capability 8.0. One instantiation a type, each in a file of its own.
template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// w[out_features][groups * 64]: the weights in the type of the activations, rounded.
cudaError_t launch_dequantise(const DeviceOperands& operands, void* w, cudaStream_t stream) noexcept;

/// Words as ../operands.hpp has them (`from`) to the order of this backend (operands.words).
cudaError_t launch_repack(const std::uint32_t* from, const DeviceOperands& operands, std::uint32_t* to,
                          cudaStream_t stream) noexcept;

/// float to the type of the activations, for operands that are exact in it.
cudaError_t launch_convert(const float* from, void* to, std::int64_t size, cuda::Element type,
                           cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
