#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/element.hpp"
#include "kernels/mixed_bit_matmul/cuda/config.hpp"

// Our own kernels, as the host calls them. No launch waits or allocates; each returns what it was answered.

namespace adaptive::kernels::mixed_bit_matmul {

/// Two blocks of rows of one width, which a warp multiplies side by side; twice the same where one is left.
struct BlockPair {
  int first = 0, second = 0;
};

/// The operands of ../operands.hpp on a GPU: x, y, scales and offsets in the type of the activations, words,
/// scales and offsets in the order in which warps multiply them (packing.cuh). Groups are filled up to whole
/// chunks with zeros.
struct DeviceOperands {
  const void* x = nullptr;               ///< [tokens][groups * 64]
  const std::uint32_t* words = nullptr;  ///< of block b from words_at[b] on
  const std::int64_t* words_at = nullptr;
  const int* block_bits = nullptr;
  const void* scales = nullptr;  ///< [blocks][chunks][8][4][2] pairs of scale and offset
  void* y = nullptr;             ///< [tokens][out_features]
  int tokens = 0, out_features = 0, groups = 0, blocks = 0;
  int bits_max = 0;
  const BlockPair* block_pairs = nullptr;  ///< all blocks, by width
  int pairs = 0;
  bool one_width = false;  ///< all blocks have bits_max, and neighbours are pairs
  cuda::Element type = cuda::Element::bfloat16;

  ADAPTIVE_HOST_DEVICE constexpr int chunks() const { return chunks_of(groups); }
};

/// Any shape; the default where nothing better is known.
cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// For `decode_configs[index]`, of which decode_bytes() fits; compute capability 9.0. One instantiation a
/// type, each in a file of its own. prepare: once before the first launch.
template <cuda::Element type>
cudaError_t prepare_decode(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t launch_decode(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// For `mma_configs[index]`, of which mma_stages() has some; compute capability 9.0. One instantiation a
/// type, each in a file of its own. prepare: once before the first launch.
template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// For `wgmma_configs[index]`; compute capability 9.0, out_features a multiple of 8. `x_map`: of x, in boxes
/// of wgmma_box_tokens rows and 64 columns.
template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const CUtensorMap& x_map, const DeviceOperands& operands,
                         cudaStream_t stream) noexcept;

/// w[out_features][groups * 64]: the weights in the type of the activations, rounded.
cudaError_t launch_dequantise(const DeviceOperands& operands, void* w, cudaStream_t stream) noexcept;

/// Words as ../operands.hpp has them, of block b from from_at[b] on, to the order of this backend
/// (operands.words_at). `to` has to be zero.
cudaError_t launch_repack(const std::uint32_t* from, const std::int64_t* from_at,
                          const DeviceOperands& operands, std::uint32_t* to, cudaStream_t stream) noexcept;

/// float to the type of the activations, for operands that are exact in it.
cudaError_t launch_convert(const float* from, void* to, std::int64_t size, cuda::Element type,
                           cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
