#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/quantized_matmul/cuda/config.hpp"
#include "kernels/quantized_matmul/operands.hpp"

// The library's own kernels, as the host calls them. No function waits or allocates; each returns the status
// of its launch.

namespace adaptive::kernels::quantized_matmul {

/// Operands on the device, as cuBLASLt and inference engines have them: without padding.
struct DeviceOperands {
  /// [tokens][in_features]: levels, or bfloat16 for int8_w8a16.
  const void* x = nullptr;
  /// channel: [tokens]; tensor: [1]; block128: [segments][tokens]; unused for int8_w8a16.
  const float* x_scales = nullptr;
  const void* w = nullptr;  ///< [out_features][in_features]
  /// channel: [out_features]; tensor: [1]; block128: [blocks of 128 rows][w_scale_stride].
  const float* w_scales = nullptr;
  void* y = nullptr;  ///< [tokens][out_features], bfloat16
  int tokens = 0, out_features = 0, in_features = 0;
  int w_scale_stride = 0;
  Types types = Types::int8_w8a8;
  Scales scales = Scales::channel;
  /// The launch may begin while the kernel before it in the stream still runs (overlap.cuh). That kernel must
  /// not write w or w_scales, which are read before it has finished. Only quantisation, `few` and `stream`
  /// begin early; all other kernels ignore this.
  bool overlaps = false;
};

/// The activations of a launch that quantises them.
struct Unquantised {
  const void* x = nullptr;  ///< [tokens][in_features], bfloat16
  void* levels = nullptr;   ///< as DeviceOperands::x
  float* scales = nullptr;  ///< as DeviceOperands::x_scales
  /// [largest_count]: scratch memory for scales by tensor.
  unsigned* largest = nullptr;
};
constexpr int largest_count = 256;

/// Quantises x for the types and scales of `operands`, whose pointers it ignores. Overlaps if `operands` do.
cudaError_t launch_quantise(const Unquantised& from, const DeviceOperands& operands,
                            cudaStream_t stream) noexcept;

/// Runs any shape. The default if nothing better is known.
cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// Computes y from the sums of int8 products, [tokens][out_features], for scales by channel.
cudaError_t launch_scale_sums(const std::int32_t* sums, const DeviceOperands& operands,
                              cudaStream_t stream) noexcept;

/// Writes W in bfloat16, each weight rounded once, for int8_w8a16.
cudaError_t launch_dequantise(const DeviceOperands& operands, void* to, cudaStream_t stream) noexcept;

// One instantiation for each type in a file of its own. `index` is the index of a config.

/// Runs `few_configs[index]`. The tokens are at most few_tokens_max(), and in_features is a multiple of 16.
template <Types types>
cudaError_t launch_few(std::size_t index, const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// Maps of x in boxes of `tokens` rows and of W in boxes of `columns` / `cluster` rows, both 128 elements
/// deep, with their 16-byte pieces permuted by the copy engine's 128-byte swizzle.
struct TensorMaps {
  CUtensorMap x, w;
};

/// Runs `wgmma_configs[index]`, which reads x and w only through the maps, for int8_w8a8 and fp8_w8a8.
/// out_features is a multiple of 8. `blocks` is the number of resident blocks, a multiple of the cluster.
template <Types types>
cudaError_t launch_wgmma(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         int blocks, cudaStream_t stream) noexcept;
/// Allows the kernel its shared memory. Call it once for each device, before the first launch.
template <Types types>
cudaError_t prepare_wgmma(std::size_t index, Scales scales) noexcept;

/// Runs `split_configs[index]`, with the same requirements; the boxes of the maps have 64 rows of x and
/// `columns` of W.
template <Types types>
cudaError_t launch_split(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                         cudaStream_t stream) noexcept;
/// As prepare_wgmma().
template <Types types>
cudaError_t prepare_split(std::size_t index, Scales scales) noexcept;

/// Runs `stream_configs[index]`, with the requirements of launch_split(); the boxes of the maps have `tokens`
/// rows of x and 64 of W.
template <Types types>
cudaError_t launch_stream(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                          cudaStream_t stream) noexcept;
/// As prepare_wgmma().
template <Types types>
cudaError_t prepare_stream(std::size_t index, Scales scales) noexcept;

/// Runs `convert_configs[index]` for int8_w8a16, with the same requirements. The map of x has bfloat16 in
/// boxes of 64 columns and `tokens` rows, that of W bytes in boxes of `columns` rows.
cudaError_t launch_convert(std::size_t index, const TensorMaps& maps, const DeviceOperands& operands,
                           cudaStream_t stream) noexcept;
/// As prepare_wgmma().
cudaError_t prepare_convert(std::size_t index) noexcept;

}  // namespace adaptive::kernels::quantized_matmul
