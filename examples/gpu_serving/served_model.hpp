#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "examples/gpu_serving/schedule.hpp"
#include "kernels/cuda_family.hpp"
#include "tuning/model.hpp"

// The launches of a model: its weights, and the kernel families that multiply by them, and attention.
//
// The weights of a model without experts have mixed widths: 4 and 8 bits in attention, 4 bits elsewhere. A
// model with experts is stored in bfloat16. The vocabulary and the cache of attention are in bfloat16 in
// both. Work that no family of the GPU does is left out: norms and sampling, and attention if its heads do
// not have 64, 128 or 256 elements.

namespace gpu_serving {

namespace kernels = adaptive::kernels;
namespace tuning = adaptive::tuning;

/// A weight of a layer, or of the vocabulary; or attention, which has heads instead.
struct Weight {
  std::string name;
  const kernels::cuda::Family* family = nullptr;
  std::int64_t out = 0, in = 0;
  std::int64_t bits = 0;     ///< bit mask of mixed_bit_matmul's widths; 0: bfloat16
  std::int64_t experts = 0;  ///< 0: every token uses the whole weight
  std::int64_t experts_per_token = 0;
  std::int64_t heads = 0, key_value_heads = 0, head_size = 0;  ///< of attention

  bool is_attention() const noexcept { return heads > 0; }
  /// The shape of a launch for these lengths. Experts are chosen as a router would, the same for the same
  /// number of tokens. Attention has pages of 16 positions.
  kernels::Shape shape(const Lengths& lengths) const;
};

struct ServedModel {
  std::string name;
  std::int64_t layers = 0;
  std::vector<Weight> layer = {};  ///< in the order of a layer
  Weight vocabulary = {};  ///< of the tokens that are sampled; without a family if the model names no size

  std::string description() const;
  /// Launches of a step.
  std::int64_t launches() const;
};

/// Throws adaptive::Error if the model has no number of layers.
ServedModel served(const tuning::Model& model);

}  // namespace gpu_serving
