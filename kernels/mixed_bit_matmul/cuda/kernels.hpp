#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>
#include <vector_types.h>

#include <cstddef>
#include <cstdint>

#include "kernels/common/element.hpp"
#include "kernels/mixed_bit_matmul/cuda/config.hpp"

// The library's own kernels, as the host calls them. No launch waits or allocates; each function returns
// CUDA's status.

namespace adaptive::kernels::mixed_bit_matmul {

/// Two blocks of rows of one width, which a warp multiplies side by side. Both are the same block if only one
/// is left.
struct BlockPair {
  int first = 0, second = 0;
};

/// The operands of ../operands.hpp on a GPU. x, y, scales and offsets have the type of the activations.
/// Words, scales and offsets are in the order in which warps multiply them (packing.cuh). Groups are padded
/// with zeros to complete chunks.
struct DeviceOperands {
  const void* x = nullptr;               ///< [tokens][groups * 64]
  const std::uint32_t* words = nullptr;  ///< the words of block b begin at words_at[b]
  const std::int64_t* words_at = nullptr;
  const int* block_bits = nullptr;
  const void* scales = nullptr;  ///< [blocks][chunks][8][4][2] pairs of scale and offset
  void* y = nullptr;             ///< [tokens][out_features]
  int tokens = 0, out_features = 0, groups = 0, blocks = 0;
  int bits_max = 0;
  const BlockPair* block_pairs = nullptr;  ///< all blocks, by width
  int pairs = 0;
  bool one_width = false;  ///< all blocks have bits_max, and neighbours form pairs
  cuda::Element type = cuda::Element::bfloat16;
  /// The launch may begin while the kernel before it in the stream still runs (overlap.cuh). That kernel must
  /// write nothing but x and y: everything else is read before it has finished. plain and dequantise ignore
  /// this, and so do the wgmma kernels.
  bool overlaps = false;

  ADAPTIVE_HOST_DEVICE constexpr int chunks() const { return chunks_of(groups); }
};

/// Runs any shape. The default if nothing better is known.
cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// Runs `decode_configs[index]`, whose decode_bytes() must fit; requires compute capability 9.0. There is one
/// instantiation for each type, in a file of its own. Call prepare_decode() once before the first launch.
template <cuda::Element type>
cudaError_t prepare_decode(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t launch_decode(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// Runs `mma_configs[index]`, whose mma_stages() must not be 0; requires compute capability 9.0. There is one
/// instantiation for each type, in a file of its own. Call prepare_mma() once before the first launch.
template <cuda::Element type>
cudaError_t prepare_mma(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t launch_mma(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// Runs `wgmma_configs[index]`; requires compute capability 9.0 and out_features a multiple of 8. `x_map`
/// describes x in boxes of wgmma_box_tokens rows and 64 columns.
template <cuda::Element type>
cudaError_t prepare_wgmma(std::size_t index) noexcept;
template <cuda::Element type>
cudaError_t launch_wgmma(std::size_t index, const CUtensorMap& x_map, const DeviceOperands& operands,
                         cudaStream_t stream) noexcept;

/// Memory of a launch of split kernels, which no other launch may use at the same time. The counters are zero
/// before and after a launch.
struct SplitScratch {
  float4* sums = nullptr;   ///< split_scratch_floats()
  int* counters = nullptr;  ///< [blocks][rows / 64]
  int blocks = 0;           ///< blocks of threads that run at the same time on the whole device
};

/// Division of chunks among blocks of threads: of each tile among the `parts` blocks of a cluster, or, with
/// parts 0, of all tiles among all blocks. The first `rest` blocks have one chunk more than `each`.
struct SplitGrid {
  int parts = 0;
  int each = 0, rest = 0;
  int token_tiles = 0;
};

/// Numbers in SplitScratch::sums: two tiles for each block of threads.
constexpr std::size_t split_scratch_floats(const SplitTile& tile, int blocks) {
  return std::size_t{2} * static_cast<std::size_t>(blocks) *
         static_cast<std::size_t>(tile.rows * tile.tokens);
}

/// Runs a tile of `split_tiles`, for which split_stages() must not be 0; requires compute capability 9.0.
/// `x_map` describes x in boxes of split_box_tokens() rows and 64 columns.
template <cuda::Element type>
cudaError_t prepare_split(int tile) noexcept;
template <cuda::Element type>
cudaError_t launch_split(const SplitConfig& config, const CUtensorMap& x_map, const DeviceOperands& operands,
                         const SplitScratch& scratch, cudaStream_t stream) noexcept;

/// Computes w[out_features][groups * 64], the weights rounded to the type of the activations.
cudaError_t launch_dequantise(const DeviceOperands& operands, void* w, cudaStream_t stream) noexcept;

/// Converts words in the order of ../operands.hpp, where those of block b begin at from_at[b], to the order
/// of this backend (operands.words_at). `to` must be zero.
cudaError_t launch_repack(const std::uint32_t* from, const std::int64_t* from_at,
                          const DeviceOperands& operands, std::uint32_t* to, cudaStream_t stream) noexcept;

/// Converts float to the type of the activations, for operands that are exact in that type.
cudaError_t launch_convert(const float* from, void* to, std::int64_t size, cuda::Element type,
                           cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
