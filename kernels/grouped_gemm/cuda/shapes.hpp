#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::grouped_gemm {

/// Small and odd shapes, with empty, small and very uneven groups, for every type and order of rows.
std::vector<Shape> cuda_test_shapes();

/// Both projections of the experts of four models, for 1 to 8,192 tokens in bfloat16 with uneven routing.
std::vector<Shape> cuda_bench_shapes();

/// One of these layers: `routed` tokens of the model, with a skew as in rows_by_router().
struct Layer {
  const char* origin;  ///< "Mixtral-8x7B up"
  std::int64_t n, k, experts, top_k;
};
const std::vector<Layer>& layers();
Shape shape_of(const Layer& layer, std::int64_t routed, double skew);

}  // namespace adaptive::kernels::grouped_gemm
