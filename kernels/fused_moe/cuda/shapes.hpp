#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/family.hpp"
#include "kernels/fused_moe/cuda/kernels.hpp"

namespace adaptive::kernels::fused_moe {

/// Small and odd shapes, with empty, small and very uneven experts, and with experts on other devices.
std::vector<Shape> cuda_test_shapes();

/// The layers of models(), for 1 to 8,192 tokens in bfloat16 and float8.
std::vector<Shape> cuda_bench_shapes();

/// The experts of a model on one device.
struct Model {
  const char* name;
  std::int64_t hidden_size, intermediate_size, experts, top_k, activation;
};
const std::vector<Model>& models();
Shape shape_of(const Model& model, std::int64_t tokens, DeviceType type = DeviceType::bfloat16);

}  // namespace adaptive::kernels::fused_moe
