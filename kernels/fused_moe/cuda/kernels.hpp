#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/fused_moe/operands.hpp"
#include "kernels/grouped_gemm/cuda/kernels.hpp"

// The kernels of this family, as the host calls them; for down and for gate and up without activation it uses
// those of grouped_gemm. No function waits or allocates; each returns the status of its launch. Everything of
// 16 bits is bfloat16.

namespace adaptive::kernels::fused_moe {

namespace levels {
struct Quantised;
}

/// In the order of the labels of `dtype` on GPUs.
enum class DeviceType : std::int64_t { bfloat16, fp8_w8a8, int8_w8a16, int4_w4a16, int8_w8a8 };

/// Where the pairs of token and slot are, in the order of their experts. A pair's number is token * top_k +
/// slot.
struct Alignment {
  const int* ids = nullptr;         ///< [pairs]: the router's experts
  const int* expert_map = nullptr;  ///< [the router's experts]: the place here, or -1
  const float* weights = nullptr;   ///< [pairs]: the router's weights
  int* ends = nullptr;              ///< [experts]: the end of each expert's rows
  int* token_of = nullptr;          ///< [pairs]: the token of each row; only the rows that there are
  float* weight_of = nullptr;       ///< [pairs]: the router's weight of each row, likewise
  int* row_of = nullptr;            ///< [pairs]: the row of each pair, or -1 if its expert is not here
  int* counts = nullptr;            ///< [chunks_of(pairs)][experts]: for launches with several chunks
  int pairs = 0, top_k = 1, experts = 0;
};

/// Pairs that a block of the alignment takes.
constexpr int chunk_pairs = 4096;
constexpr int chunks_of(int pairs) {
  return (pairs + chunk_pairs - 1) / chunk_pairs;
}

/// Computes ends, token_of, weight_of and row_of. Rows of an expert are in the order of their pairs, so that
/// the result is the same in every launch. If `zeroed` is not null, also fills its `zero_bytes` bytes, a
/// multiple of 16, with zeros. If `quantised` is not null, also quantises rows by segments, as
/// levels::launch_quantise() does; `columns` is then a multiple of 4, and all rows exist. At most
/// grouped_gemm::experts_max experts; at least one pair.
cudaError_t launch_align(const Alignment& alignment, void* zeroed, std::size_t zero_bytes,
                         cudaStream_t stream, const levels::Quantised* quantised = nullptr) noexcept;

/// to[row] = x[token_of[row]] for all rows that there are. `width` is a multiple of 8.
cudaError_t launch_sort_rows(const Alignment& alignment, const void* x, void* to, int width, bool overlaps,
                             cudaStream_t stream) noexcept;

/// h[row][i] = activation(both[row][i], both[row][width + i]) for all rows that there are. `width` is a
/// multiple of 8.
cudaError_t launch_activate(const Alignment& alignment, const void* both, void* h, int width,
                            Activation activation, bool overlaps, cudaStream_t stream) noexcept;

/// y[token] = the sum of weights[pair] * z[row_of[pair]] over the token's pairs that are here, in their
/// order. `width` is a multiple of 8.
cudaError_t launch_weighted_sum(const Alignment& alignment, const void* z, void* y, int tokens, int width,
                                bool overlaps, cudaStream_t stream) noexcept;

/// As the launches of grouped_gemm, where n is twice the width of h, and y is h: the products of gate and up
/// with the activation in the epilogue. `ends` and `row_of` may be the result of the launch before. The map
/// of the weights for wgmma is make_interleaved_tensor_map().
cudaError_t launch_gated_mma(std::size_t index, const grouped_gemm::DeviceOperands& operands,
                             Activation activation, int blocks, cudaStream_t stream) noexcept;
cudaError_t launch_gated_wgmma(std::size_t index, const grouped_gemm::TensorMaps& maps,
                               const grouped_gemm::DeviceOperands& operands, Activation activation,
                               int blocks, cudaStream_t stream) noexcept;
cudaError_t prepare_gated_mma(std::size_t index) noexcept;
cudaError_t prepare_gated_wgmma(std::size_t index) noexcept;

/// As the launches of grouped_gemm, where y has a row for each token, to which the weighted rows are added in
/// any order, rounded each time. It must be zero before. Requires compute capability 9.0.
cudaError_t launch_added_mma(std::size_t index, const grouped_gemm::DeviceOperands& operands,
                             const Alignment& alignment, int blocks, cudaStream_t stream) noexcept;
cudaError_t launch_added_wgmma(std::size_t index, const grouped_gemm::TensorMaps& maps,
                               const grouped_gemm::DeviceOperands& operands, const Alignment& alignment,
                               int blocks, cudaStream_t stream) noexcept;
cudaError_t prepare_added_mma(std::size_t index) noexcept;
cudaError_t prepare_added_wgmma(std::size_t index) noexcept;

/// All operands on the device, without padding.
struct Layer {
  const void* x = nullptr;          ///< [tokens][hidden_size]
  const void* up = nullptr;         ///< [experts][2][intermediate_size][hidden_size]
  const void* down = nullptr;       ///< [experts][hidden_size][intermediate_size]
  const void* up_scales = nullptr;  ///< of weights that are not bfloat16 (levels/operands.hpp)
  const void* down_scales = nullptr;
  const int* ids = nullptr;
  const float* weights = nullptr;
  const int* expert_map = nullptr;
  void* y = nullptr;  ///< [tokens][hidden_size]
  int tokens = 0, hidden_size = 0, intermediate_size = 0, top_k = 1;
  int experts = 0;
  Activation activation = Activation::silu;
  DeviceType type = DeviceType::bfloat16;
};

/// The default if nothing better is known: any layer, without alignment, two kernels. `h` has room for tokens
/// * top_k * intermediate_size floats.
cudaError_t launch_plain(const Layer& layer, float* h, cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::fused_moe
