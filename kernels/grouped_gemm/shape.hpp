#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::grouped_gemm {

/// What is wrong with a shape of which the first values are tokens, n, k, experts and filled, on every
/// backend; nothing where it is a problem. No operand may have more than 2^elements_log2 elements.
std::optional<std::string> why_no_product(const std::vector<Dimension>& dimensions, const Shape& shape,
                                          int elements_log2);

}  // namespace adaptive::kernels::grouped_gemm
