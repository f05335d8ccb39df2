#include "kernels/fused_moe/cuda/shapes.hpp"

#include "kernels/fused_moe/routing.hpp"

namespace adaptive::kernels::fused_moe {

const std::vector<Model>& models() {
  constexpr auto silu = static_cast<std::int64_t>(Activation::silu);
  constexpr auto swigluoai = static_cast<std::int64_t>(Activation::swigluoai);
  // Hidden size, width of an expert, experts, experts of a token: from the models' config.json.
  static const std::vector<Model> all = {
      {"Qwen3-30B-A3B", 2048, 768, 128, 8, silu}, {"gpt-oss-120b", 2880, 2880, 128, 4, swigluoai},
      {"Mixtral-8x7B", 4096, 14336, 8, 2, silu},  {"GLM-4.5-Air", 4096, 1408, 128, 8, silu},
      {"OLMoE-1B-7B", 2048, 1024, 64, 8, silu},   {"DeepSeek-V2-Lite", 2048, 1408, 64, 6, silu},
  };
  return all;
}

Shape shape_of(const Model& model, std::int64_t tokens, DeviceType type) {
  return {tokens,
          model.hidden_size,
          model.intermediate_size,
          model.experts,
          likely_filled(tokens, model.top_k, model.experts, 1),
          model.top_k,
          1,
          model.activation,
          static_cast<std::int64_t>(type)};
}

std::vector<Shape> cuda_bench_shapes() {
  std::vector<Shape> shapes;
  for (const DeviceType type : {DeviceType::bfloat16, DeviceType::fp8_w8a8})
    for (std::int64_t tokens = 1; tokens <= 8192; tokens *= 2)
      for (const Model& model : models()) shapes.push_back(shape_of(model, tokens, type));
  return shapes;
}

std::vector<Shape> cuda_test_shapes() {
  // tokens, hidden_size, intermediate_size, experts, filled, top_k, expert_parallel, activation (silu,
  // gelu_tanh, swigluoai), type (bfloat16)
  std::vector<Shape> shapes = {
      {1, 8, 8, 1, 1, 1, 1, 0, 0},          {1, 136, 72, 4, 2, 2, 1, 1, 0},
      {2, 64, 64, 8, 3, 2, 1, 2, 0},        {3, 50, 129, 3, 3, 2, 1, 0, 0},  // odd: only the default
      {5, 120, 200, 7, 4, 3, 1, 1, 0},      {17, 1032, 72, 5, 5, 4, 1, 0, 0},
      {64, 64, 64, 64, 64, 8, 1, 0, 0},     {33, 136, 328, 9, 2, 2, 1, 2, 0},
      {13, 64, 144, 256, 90, 8, 1, 0, 0},   {128, 128, 128, 2, 1, 1, 1, 1, 0},
      {129, 96, 520, 16, 4, 3, 2, 0, 0},    {100, 264, 304, 50, 36, 6, 4, 2, 0},
      {9, 24, 40, 4, 0, 4, 2, 2, 0},  // all experts on other devices
      {257, 136, 8, 3, 2, 1, 1, 0, 0},      {300, 392, 72, 12, 12, 8, 1, 1, 0},
      {0, 64, 64, 4, 0, 2, 1, 0, 0},        {0, 24, 40, 256, 0, 1, 1, 1, 0},
      {511, 264, 72, 256, 256, 2, 1, 0, 0}, {640, 200, 520, 6, 4, 2, 1, 2, 0},
      {777, 88, 1032, 5, 3, 2, 1, 0, 0},    {1500, 136, 264, 8, 8, 6, 1, 0, 0},  // several chunks to sort
      {33, 33, 64, 4, 2, 2, 1, 0, 0},       {40, 64, 60, 4, 2, 2, 1, 1, 0},      // no multiples of 8
      {70, 64, 72, 300, 60, 4, 1, 0, 0},  // more experts than the schedule holds
      {48, 640, 4104, 6, 4, 2, 1, 0, 0},    {333, 640, 1032, 3, 3, 2, 2, 2, 0}};
  // Each other type: complete slabs, and, where weights have more than 4 bits, parts of slabs and odd sizes.
  for (const auto type :
       {DeviceType::fp8_w8a8, DeviceType::int8_w8a16, DeviceType::int4_w4a16, DeviceType::int8_w8a8}) {
    const auto t = static_cast<std::int64_t>(type);
    shapes.insert(shapes.end(), {{1, 128, 128, 1, 1, 1, 1, 0, t},
                                 {3, 256, 384, 8, 3, 2, 1, 2, t},
                                 {33, 128, 256, 9, 2, 2, 1, 1, t},
                                 {129, 384, 640, 16, 4, 3, 2, 0, t},
                                 {9, 128, 64, 4, 0, 4, 2, 2, t},
                                 {0, 64, 64, 4, 0, 2, 1, 0, t},
                                 {300, 512, 128, 12, 12, 8, 1, 2, t},
                                 {1500, 256, 128, 8, 8, 6, 1, 0, t},
                                 {40, 192, 320, 4, 2, 2, 1, 1, t},  // 4 bits: only the default
                                 {70, 64, 64, 300, 60, 4, 1, 0, t}});
    if (type == DeviceType::int4_w4a16) continue;
    shapes.insert(shapes.end(), {{2, 16, 16, 4, 2, 2, 1, 0, t},
                                 {3, 50, 129, 3, 3, 2, 1, 0, t},  // odd: only the default
                                 {17, 1040, 80, 5, 5, 4, 1, 1, t},
                                 {64, 64, 144, 64, 64, 8, 1, 0, t},
                                 {100, 272, 304, 50, 36, 6, 4, 2, t},
                                 {33, 33, 72, 4, 2, 2, 1, 0, t},
                                 {640, 208, 528, 6, 4, 2, 1, 2, t},
                                 {777, 96, 1040, 5, 3, 2, 1, 0, t}});
  }
  return shapes;
}

}  // namespace adaptive::kernels::fused_moe
