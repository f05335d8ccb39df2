#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::grouped_gemm {

/// Explains what is wrong, for every backend, with a shape whose first values are tokens, n, k, experts and
/// filled; nothing if the shape is valid. No operand may have more than 2^elements_log2 elements.
std::optional<std::string> why_no_product(const std::vector<Dimension>& dimensions, const Shape& shape,
                                          int elements_log2);

}  // namespace adaptive::kernels::grouped_gemm
