#pragma once

#include <string>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::dense_gemm {

/// Small and odd; every type.
std::vector<Shape> test_shapes();

/// Projections of models as their configurations give them (hidden size, heads, intermediate size), times
/// tokens from 1 to 512: by tokens, then in the order in which a decoding step would launch them.
std::vector<Shape> bench_shapes();

/// "Llama-3-8B gate_up": whose projection a weight of that size is; empty for none.
std::string origin_of(const Shape& shape);

}  // namespace adaptive::kernels::dense_gemm
