#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/fused_moe/cuda/kernels.hpp"

// The reference in double and the random operands, on the device. They share no code with the kernels that
// they check, the activation included. No function waits or allocates.

namespace adaptive::kernels::fused_moe {

/// Uniform in [-bound, bound), rounded to bfloat16. The same seed gives the same numbers everywhere.
cudaError_t fill_uniform(void* data, std::int64_t size, float bound, std::uint64_t seed,
                         cudaStream_t stream) noexcept;

/// Fills weights that are not bfloat16 with levels from all that there are, and their scales such that the
/// weights are about uniform in [-bound, bound).
cudaError_t fill_weights(void* levels, std::int64_t bytes, void* scales, std::int64_t count, DeviceType type,
                         float bound, std::uint64_t seed, cudaStream_t stream) noexcept;

/// A number and the magnitude to which errors are relative.
struct Exact {
  double value, magnitude;
};

/// Computes y for `count` tokens in double: exact[count][hidden_size]. The magnitude of a number is the sum
/// of the magnitudes of its terms. `h` has room for count * top_k * intermediate_size numbers.
cudaError_t compute_exact(const Layer& layer, const int* tokens, int count, double* h, Exact* exact,
                          cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::fused_moe
