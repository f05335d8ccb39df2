#pragma once

#include <cstdint>

#include "kernels/common/element.hpp"
#include "kernels/family.hpp"

// dense_gemm: y[m, n] = x[m, k] * W[n, k]^T, all row-major without padding: activations times a weight as
// inference engines store it ("TN" in BLAS terms). Sums are in float32, whatever the type of the operands. y
// has the type of x, or bfloat16 if x is float8.

namespace adaptive::kernels::dense_gemm {

using Type = cuda::Element;  // in the order of the labels of `dtype`

/// The values of a shape by name.
struct Sizes {
  std::int64_t m, n, k;
  Type type;
  explicit Sizes(const Shape& shape)
      : m(shape[0]), n(shape[1]), k(shape[2]), type(static_cast<Type>(shape[3])) {}
};

}  // namespace adaptive::kernels::dense_gemm
