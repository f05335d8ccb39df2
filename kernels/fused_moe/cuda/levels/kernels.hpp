#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>

#include "kernels/fused_moe/cuda/kernels.hpp"
#include "kernels/fused_moe/cuda/levels/operands.hpp"

// The kernels for weights of fewer than 16 bits, as the host calls them. No function waits or allocates; each
// returns the status of its launch.

namespace adaptive::kernels::fused_moe::levels {

/// Rows of bfloat16 that become levels: float8 with a scale for each 128 columns of a row (`by_segment`), or
/// int8 with a scale for each row.
struct Quantised {
  const void* x = nullptr;         ///< [rows of x][columns]
  const int* row_of = nullptr;     ///< [rows]: the row of x of each row; null if they are the same
  const int* row_count = nullptr;  ///< the number of rows on the device, at most `rows`; null if it is that
  void* levels = nullptr;          ///< [rows][columns]
  float* scales = nullptr;         ///< [segments][scale_stride], or [rows]
  int rows = 0, columns = 0, scale_stride = 0;
  bool by_segment = true;
};
cudaError_t launch_quantise(const Quantised& quantised, bool overlaps, cudaStream_t stream) noexcept;

/// A layer of any shape, without alignment: one warp computes one number of h, then one warp one number of y.
struct PlainOperands {
  Layer layer;
  const void* x = nullptr;  ///< levels, if there are scales; otherwise as in the layer
  const float* x_scales = nullptr;
  void* h = nullptr;               ///< [pairs][intermediate_size], bfloat16
  const void* h_levels = nullptr;  ///< likewise of h
  const float* h_scales = nullptr;
};
cudaError_t launch_plain_up(const PlainOperands& operands, cudaStream_t stream) noexcept;
cudaError_t launch_plain_down(const PlainOperands& operands, cudaStream_t stream) noexcept;

/// Which sums a product makes.
enum class Result {
  gated,  ///< h: the activation of gate and up
  all,    ///< the rows of down
  added   ///< the weighted rows of down, added to y by atomic operations; y is zero before
};

/// What a product does with its sums.
struct ResultOperands {
  Activation activation = Activation::silu;  ///< gated
  const int* token_of = nullptr;             ///< added
  const float* weight_of = nullptr;          ///< added
  float* scales = nullptr;                   ///< gated by wgmma: of h, [segments][scale_stride]
  int scale_stride = 0;
  bool overlaps = false;  ///< as grouped_gemm::DeviceOperands::overlaps
};

/// Runs `stream_configs[index]` by `blocks` blocks for weights of `type`, which is not bfloat16.
template <DeviceType type>
cudaError_t launch_stream(std::size_t index, Result result, const ProductOperands& operands,
                          const ResultOperands& of_result, int blocks, cudaStream_t stream) noexcept;
/// Allows the kernel its shared memory. Call it once for each device, before the first launch.
template <DeviceType type>
cudaError_t prepare_stream(std::size_t index, Result result) noexcept;

// One instantiation for each type, in a file of its own.
#define ADAPTIVE_DECLARE(type)                                                                             \
  template <>                                                                                              \
  cudaError_t launch_stream<type>(std::size_t, Result, const ProductOperands&, const ResultOperands&, int, \
                                  cudaStream_t) noexcept;                                                  \
  template <>                                                                                              \
  cudaError_t prepare_stream<type>(std::size_t, Result) noexcept;
ADAPTIVE_DECLARE(DeviceType::fp8_w8a8)
ADAPTIVE_DECLARE(DeviceType::int8_w8a16)
ADAPTIVE_DECLARE(DeviceType::int4_w4a16)
ADAPTIVE_DECLARE(DeviceType::int8_w8a8)
#undef ADAPTIVE_DECLARE

/// Maps of the rows of x in boxes of 64 and of the weights in boxes of `columns`, both 128 bytes deep, with
/// the 128-byte swizzle; the map of gate and up is cuda::make_interleaved_byte_map().
struct TensorMaps {
  CUtensorMap x, w;
};

/// Runs `wgmma_configs[index]` for float8, by `blocks` resident blocks. k is a multiple of 16, n of 8, and
/// half of n of 16 for gate and up. Row i of x is the i-th row of the experts. The product of gate and up
/// gives h as levels, with scales.
cudaError_t launch_wgmma(std::size_t index, Result result, const TensorMaps& maps,
                         const ProductOperands& operands, const ResultOperands& of_result, int blocks,
                         cudaStream_t stream) noexcept;
/// As prepare_stream().
cudaError_t prepare_wgmma(std::size_t index, Result result) noexcept;

}  // namespace adaptive::kernels::fused_moe::levels
