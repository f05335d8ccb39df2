#include "kernels/quantized_matmul/cuda/shapes.hpp"

namespace adaptive::kernels::quantized_matmul {

const std::vector<Layer>& layers() {
  // Q, K and V in one, gate and up in one, as in serving engines. Sizes are from the models' published
  // configurations (config.json).
  static const std::vector<Layer> all = {
      {"Llama-3-8B qkv", 6144, 4096},   {"Llama-3-8B o", 4096, 4096},     {"Llama-3-8B gate_up", 28672, 4096},
      {"Llama-3-8B down", 4096, 14336}, {"Qwen3-4B qkv", 6144, 2560},     {"Qwen3-4B gate_up", 19456, 2560},
      {"Qwen3-4B down", 2560, 9728},    {"Qwen3-32B qkv", 10240, 5120},   {"Qwen3-32B o", 5120, 8192},
      {"Qwen3-32B down", 5120, 25600},  {"Llama-3-70B qkv", 10240, 8192}, {"Llama-3-70B o", 8192, 8192},
      {"Llama-3-70B down", 8192, 28672}};
  return all;
}

const std::vector<std::pair<std::int64_t, std::int64_t>>& types_and_scales() {
  // 0 = int8_w8a8, 1 = int8_w8a16, 2 = fp8_w8a8; 0 = channel, 1 = tensor, 2 = block128
  static const std::vector<std::pair<std::int64_t, std::int64_t>> all = {{0, 0}, {0, 2}, {1, 0},
                                                                         {2, 0}, {2, 1}, {2, 2}};
  return all;
}

std::vector<Shape> cuda_test_shapes() {
  // tokens, out_features, in_features, dtype, scales, activations (1 = quantised)
  return {{1, 1, 1, 0, 0, 0},        {1, 17, 16, 1, 0, 0},      {2, 16, 48, 2, 0, 1},
          {3, 50, 136, 0, 2, 0},     {5, 31, 47, 2, 1, 0},      {7, 130, 64, 0, 0, 1},
          {8, 1, 104, 1, 0, 0},      {8, 129, 528, 2, 2, 0},    {9, 200, 48, 0, 2, 1},
          {13, 129, 65, 1, 0, 0},    {1, 257, 513, 2, 2, 0},    {4, 33, 304, 0, 0, 0},
          {16, 64, 128, 2, 0, 0},    {16, 300, 1040, 1, 0, 0},  {31, 48, 96, 0, 2, 0},
          {33, 7, 8, 2, 1, 1},       {40, 33, 530, 1, 0, 0},    {64, 144, 64, 0, 0, 0},
          {1, 304, 1040, 0, 2, 0},   {12, 257, 144, 0, 0, 0},   {11, 145, 256, 2, 1, 0},
          {3, 64, 384, 2, 0, 0},     {15, 136, 4112, 2, 2, 1},  {16, 40, 8208, 0, 2, 0},
          {10, 520, 2064, 2, 1, 1},  {17, 64, 128, 2, 2, 1},    {65, 136, 272, 2, 2, 0},
          {130, 264, 400, 2, 0, 1},  {129, 256, 128, 0, 2, 1},  {200, 520, 1040, 0, 0, 1},
          {257, 136, 656, 2, 1, 0},  {300, 392, 2064, 2, 2, 1}, {511, 328, 144, 0, 0, 0},
          {64, 272, 4112, 1, 0, 0},  {1, 4096, 4096, 2, 2, 1},  {128, 512, 16, 2, 0, 0},
          {700, 1032, 384, 2, 2, 1}, {640, 776, 512, 0, 2, 0},  {96, 4096, 1024, 2, 1, 1},
          {33, 144, 2048, 0, 0, 1},  {8, 1024, 8192, 0, 0, 1},  {32, 1024, 4096, 2, 0, 1}};
}

std::vector<Shape> cuda_bench_shapes() {
  std::vector<Shape> shapes;
  for (const std::int64_t tokens : {1, 4, 16, 64, 256, 1024, 4096})
    for (const Layer& layer : layers())
      for (const auto& [types, scales] : types_and_scales())
        shapes.push_back({tokens, layer.out_features, layer.in_features, types, scales, types == 1 ? 0 : 1});
  return shapes;
}

}  // namespace adaptive::kernels::quantized_matmul
