#include "kernels/dense_gemm/shapes.hpp"

#include <array>
#include <cstdint>

namespace adaptive::kernels::dense_gemm {
namespace {

// Projections are fused as in serving engines: Q, K and V in one, gate and up in one. Sizes are from the
// models' published configurations (config.json): hidden size, (query heads + 2 × key heads) × head size,
// intermediate size.
struct Weight {
  const char* origin;
  std::int64_t n, k;
};

constexpr std::array<Weight, 10> weights = {{
    {"Llama-3-8B qkv", 6144, 4096},
    {"Llama-3-8B o", 4096, 4096},
    {"Llama-3-8B gate_up", 28672, 4096},
    {"Llama-3-8B down", 4096, 14336},
    {"Qwen3-32B qkv", 10240, 5120},
    {"Qwen3-32B o", 5120, 8192},
    {"Qwen3-32B down", 5120, 25600},
    {"Llama-3-70B qkv", 10240, 8192},
    {"Llama-3-70B o", 8192, 8192},
    {"Llama-3-70B down", 8192, 28672},
}};

constexpr std::array<std::int64_t, 10> tokens = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

}  // namespace

std::vector<Shape> test_shapes() {
  // The last value is the type: 0 = bfloat16, 1 = float16, 2 = float8_e4m3, for which the library requires
  // multiples of 16.
  return {{1, 1, 1, 0},
          {1, 17, 8, 0},
          {2, 16, 16, 1},
          {3, 50, 136, 0},
          {5, 31, 47, 0},
          {7, 130, 64, 1},
          {8, 1, 104, 0},
          {8, 129, 520, 1},
          {9, 200, 40, 0},
          {13, 129, 65, 1},
          {16, 72, 1032, 0},
          {16, 257, 264, 1},
          {17, 64, 128, 0},
          {31, 48, 96, 1},
          {33, 7, 8, 0},
          {40, 33, 530, 1},
          {64, 145, 61, 0},
          {100, 264, 304, 0},
          {131, 24, 1000, 1},
          {256, 512, 2048, 0},
          {1, 4096, 4096, 0},
          {16, 48, 96, 2},
          {1, 256, 512, 2},
          {48, 144, 1040, 2},
          {5, 64, 33, 2},
          {4, 1000, 8200, 1},
          {12, 40, 4104, 0},
          {2, 1024, 1024, 0},
          {300, 130, 200, 1},
          // Long sums: the library splits k and needs a workspace.
          {64, 256, 16384, 0},
          {16, 512, 8192, 0}};
}

std::vector<Shape> bench_shapes() {
  std::vector<Shape> shapes;
  for (const std::int64_t m : tokens)
    for (const Weight& weight : weights) shapes.push_back({m, weight.n, weight.k, 0});
  return shapes;
}

std::string origin_of(const Shape& shape) {
  for (const Weight& weight : weights)
    if (shape.size() > 2 && shape[1] == weight.n && shape[2] == weight.k) return weight.origin;
  return {};
}

}  // namespace adaptive::kernels::dense_gemm
