#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/common/element.hpp"

// Random operands and the reference in double, for products y = x * W^T of any family on the GPU. Neither
// shares code with what it judges. None waits or allocates; each returns what the launch returned.

namespace adaptive::kernels::cuda {

/// Uniform in [-1, 1), rounded to the type; the same for the same seed everywhere.
cudaError_t fill_random(void* data, std::int64_t size, Element type, std::uint64_t seed,
                        cudaStream_t stream) noexcept;

/// One element of the output: where it is, which row of x and which row of W it is the product of, and its
/// value with the sum of the magnitudes of its terms, in double.
struct Expected {
  std::int64_t at = 0;
  std::int64_t x_row = 0;
  std::int64_t w_row = 0;
  double value = 0;
  double magnitude = 0;
};

/// Fills in value and magnitude of `count` elements on the device. x and w have rows of k.
cudaError_t compute_expected(const void* x, const void* w, std::int64_t k, Element type, Expected* expected,
                             std::int64_t count, cudaStream_t stream) noexcept;

/// What compare() finds: the bits of a non-negative double, and whether every element is finite.
struct Difference {
  unsigned long long worst_bits = 0;
  unsigned int not_finite = 0;
};

/// Adds to `difference`, which is on the device and zeroed. y has `size` elements, of the output's type where
/// the operands are of `type`.
cudaError_t compare(const void* y, std::int64_t size, Element type, const Expected* expected,
                    std::int64_t count, Difference* difference, cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::cuda
