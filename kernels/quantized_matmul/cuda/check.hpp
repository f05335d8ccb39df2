#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/common/cuda/check.hpp"
#include "kernels/quantized_matmul/cuda/kernels.hpp"

// Random operands and the reference in double on the device. They share no code with the kernels that they
// check. No function waits or allocates; each returns the status of its launch.

namespace adaptive::kernels::quantized_matmul {

/// Random levels of W: int8 from -127 to 127, or float8 up to 448 in magnitude.
cudaError_t fill_levels(void* w, std::int64_t size, Types types, std::uint64_t seed,
                        cudaStream_t stream) noexcept;

/// Multiplies the token t of x, in bfloat16, by 2^(t % 5 - 2), so that a scale of the wrong token is noticed.
cudaError_t spread_tokens(void* x, int tokens, int in_features, cudaStream_t stream) noexcept;

/// Random scales from `usual` / 2 to 2 * `usual`.
cudaError_t fill_scales(float* scales, std::int64_t size, float usual, std::uint64_t seed,
                        cudaStream_t stream) noexcept;

/// Sets `largest`, which must be zero, to the bits of the largest magnitude of all of x, in bfloat16.
cudaError_t find_largest_of_all(const void* x, std::int64_t size, unsigned* largest,
                                cudaStream_t stream) noexcept;

/// Computes value and magnitude of `count` elements from x in bfloat16, which it quantises itself, and from
/// the weights of `operands`. An element's `x_row` is its token and its `w_row` its output. `largest` is used
/// for scales by tensor.
cudaError_t compute_expected(const void* x, const unsigned* largest, const DeviceOperands& operands,
                             cuda::Expected* expected, std::int64_t count, cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::quantized_matmul
