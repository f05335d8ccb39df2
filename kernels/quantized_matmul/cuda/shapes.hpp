#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::quantized_matmul {

/// Small and odd shapes, for every type, scale and kind of activations.
std::vector<Shape> cuda_test_shapes();

/// The projections of layers() for 1 to 4,096 tokens, in every type and scale, with quantised activations if
/// there are any.
std::vector<Shape> cuda_bench_shapes();

/// A projection of a published model.
struct Layer {
  const char* origin;  ///< "Llama-3-8B qkv"
  std::int64_t out_features, in_features;
};
const std::vector<Layer>& layers();

/// The pairs of `dtype` and `scales` that exist.
const std::vector<std::pair<std::int64_t, std::int64_t>>& types_and_scales();

}  // namespace adaptive::kernels::quantized_matmul
