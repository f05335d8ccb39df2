#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/common/element.hpp"
#include "kernels/family.hpp"

// dense_gemm: y[m, n] = x[m, k] * W[n, k]^T, all row-major: activations times a weight as inference engines
// store it ("TN" in BLAS terms). Sums are in float32, whatever the type of the operands.
//
// On GPUs, matrices have no padding, and y has the type of x, or bfloat16 if x is float8. On the host, rows
// of x and W start at multiples of 16 elements (grouped_gemm/operands.hpp), and y is float32, as the host's
// libraries return it.

namespace adaptive::kernels::dense_gemm {

using Type = cuda::Element;  // on GPUs, in the order of the labels of `dtype`

/// The values of a shape on GPUs by name.
struct Sizes {
  std::int64_t m, n, k;
  Type type;
  explicit Sizes(const Shape& shape)
      : m(shape[0]), n(shape[1]), k(shape[2]), type(static_cast<Type>(shape[3])) {}
};

/// m, n, k and `dtype` with the types of a backend.
std::vector<Dimension> dimensions_with(std::vector<std::string> types);

/// Explains what is wrong, for every backend, with a shape of these dimensions; nothing if the shape is
/// valid. No operand may have more than 2^elements_log2 elements.
std::optional<std::string> why_no_product(const std::vector<Dimension>& dimensions, const Shape& shape,
                                          int elements_log2);

}  // namespace adaptive::kernels::dense_gemm
