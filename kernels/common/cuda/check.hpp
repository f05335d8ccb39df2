#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/common/element.hpp"

// Random operands and a reference in double, for products y = x * W^T of any family on the GPU. They share no
// code with the kernels that they check. No function waits or allocates; each returns the status of its
// launch.

namespace adaptive::kernels::cuda {

/// Uniform in [-1, 1), rounded to the type. The same seed gives the same numbers everywhere.
cudaError_t fill_random(void* data, std::int64_t size, Element type, std::uint64_t seed,
                        cudaStream_t stream) noexcept;

/// One element of the output: its place, the rows of x and W of which it is the product, its value, and the
/// sum of the magnitudes of its terms, in double.
struct Expected {
  std::int64_t at = 0;
  std::int64_t x_row = 0;
  std::int64_t w_row = 0;
  double value = 0;
  double magnitude = 0;
};

/// Computes value and magnitude of `count` elements on the device. The rows of x and w have k elements.
cudaError_t compute_expected(const void* x, const void* w, std::int64_t k, Element type, Expected* expected,
                             std::int64_t count, cudaStream_t stream) noexcept;

/// The result of compare(): the bits of a non-negative double, and whether any element is not finite.
struct Difference {
  unsigned long long worst_bits = 0;
  unsigned int not_finite = 0;
};

/// Updates `difference`, which is in device memory and zeroed before the first call. y has `size` elements of
/// the output type that belongs to operands of `type`.
cudaError_t compare(const void* y, std::int64_t size, Element type, const Expected* expected,
                    std::int64_t count, Difference* difference, cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::cuda
