#include "kernels/grouped_gemm/cuda/shapes.hpp"

#include "kernels/grouped_gemm/routing.hpp"

namespace adaptive::kernels::grouped_gemm {

const std::vector<Layer>& layers() {
  // Sizes are from the models' published configurations (config.json): intermediate size (gate and up fused
  // as in serving engines), hidden size, experts, experts per token.
  static const std::vector<Layer> all = {
      {"Mixtral-8x7B up", 28672, 4096, 8, 2},   {"Mixtral-8x7B down", 4096, 14336, 8, 2},
      {"Mixtral-8x22B up", 32768, 6144, 8, 2},  {"Mixtral-8x22B down", 6144, 16384, 8, 2},
      {"DeepSeek-V3 up", 4096, 7168, 256, 8},   {"DeepSeek-V3 down", 7168, 2048, 256, 8},
      {"Qwen3-30B-A3B up", 1536, 2048, 128, 8}, {"Qwen3-30B-A3B down", 2048, 768, 128, 8},
  };
  return all;
}

Shape shape_of(const Layer& layer, std::int64_t routed, double skew) {
  const auto seed = static_cast<std::uint64_t>(routed * 1000 + layer.experts);
  const RoutingSummary routing = summary_of(rows_by_router(routed, layer.top_k, layer.experts, skew, seed));
  return {routing.tokens, layer.n, layer.k, layer.experts, routing.filled, routing.row_tiles, 0, 0};
}

std::vector<Shape> cuda_bench_shapes() {
  constexpr double skew = 0.5;
  static const std::vector<Shape> all = [] {
    std::vector<Shape> shapes;
    for (std::int64_t routed = 1; routed <= 8192; routed *= 2)
      for (const Layer& layer : layers()) shapes.push_back(shape_of(layer, routed, skew));
    return shapes;
  }();
  return all;
}

std::vector<Shape> cuda_test_shapes() {
  // tokens, n, k, experts, filled, row tiles, type (0 = bfloat16, 1 = float16), order (0 = sorted, 1 =
  // gathered)
  return {{1, 8, 8, 1, 1, 1, 0, 0},          {1, 136, 72, 4, 1, 1, 1, 1},
          {2, 64, 64, 8, 2, 2, 0, 0},        {3, 50, 129, 3, 3, 3, 0, 1},  // odd: only the default
          {5, 120, 200, 7, 2, 2, 1, 0},      {17, 72, 1032, 5, 1, 1, 0, 1},
          {64, 64, 64, 64, 64, 64, 0, 0},    {65, 328, 136, 9, 1, 2, 1, 0},
          {100, 144, 64, 256, 37, 37, 0, 1}, {128, 128, 128, 2, 1, 2, 0, 0},
          {129, 520, 96, 16, 3, 4, 1, 1},    {200, 264, 304, 200, 140, 140, 0, 0},
          {256, 256, 64, 4, 2, 4, 0, 0},     {257, 136, 8, 3, 1, 5, 0, 0},
          {300, 392, 72, 12, 12, 13, 1, 0},  {0, 64, 64, 4, 0, 0, 0, 0},
          {0, 24, 40, 256, 0, 0, 1, 1},      {511, 72, 264, 256, 256, 258, 0, 0},
          {640, 200, 520, 6, 4, 12, 0, 1},   {777, 1032, 88, 5, 3, 13, 1, 0},
          {1500, 264, 136, 8, 5, 26, 0, 0},  {33, 33, 64, 4, 2, 2, 0, 0},  // odd n
          {40, 64, 60, 4, 2, 2, 1, 0},                                     // k no multiple of 8
          {70, 64, 72, 300, 20, 20, 0, 0},  // more experts than the schedule holds
          {48, 640, 4104, 6, 4, 4, 0, 0},    {333, 640, 2056, 3, 3, 6, 1, 0}};
}

}  // namespace adaptive::kernels::grouped_gemm
