#pragma once

#include <string>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::dense_gemm {

/// Small and odd shapes of every type.
std::vector<Shape> test_shapes();

/// Projections of models with sizes from their configurations (hidden size, heads, intermediate size), for 1
/// to 512 tokens. They are sorted by tokens, then in the order in which a decoding step would launch them.
std::vector<Shape> bench_shapes();

/// The projection with a weight of this size, such as "Llama-3-8B gate_up"; empty if there is none.
std::string origin_of(const Shape& shape);

}  // namespace adaptive::kernels::dense_gemm
