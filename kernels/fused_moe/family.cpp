#include <cstdint>
#include <stdexcept>
#include <vector>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/families.hpp"
#include "kernels/fused_moe/cpu/problem.hpp"
#include "kernels/fused_moe/problem.hpp"
#include "kernels/fused_moe/routing.hpp"

namespace adaptive::kernels {
namespace {

class FusedMoe final : public Family {
 public:
  FusedMoe() : Family("fused_moe", fused_moe::dimensions(), fused_moe::cpu_variants()) {}

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return fused_moe::why_no_layer(shape, 32);
  }

  std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    start_helper_thread();
    return fused_moe::make_cpu_problem(shape, seed, variants());
  }

  // tokens, hidden_size, intermediate_size, experts, filled, top_k, expert_parallel; the last values are the
  // activation (silu, gelu_tanh, swigluoai) and the type (float32, bfloat16, int8_w8a16, int4_w4a16). Some
  // have empty experts, some experts on other devices, some no token.
  std::vector<Shape> test_shapes() const override {
    return {{1, 1, 1, 1, 1, 1, 1, 0, 0},     {1, 17, 33, 4, 1, 1, 1, 1, 1},   {1, 130, 20, 8, 8, 8, 1, 2, 0},
            {2, 33, 50, 6, 3, 2, 1, 0, 1},   {3, 40, 129, 5, 2, 2, 3, 2, 1},  {5, 144, 64, 7, 7, 6, 1, 0, 0},
            {13, 60, 31, 4, 3, 3, 1, 1, 0},  {24, 129, 96, 3, 3, 2, 2, 2, 1}, {40, 65, 47, 8, 6, 5, 1, 0, 1},
            {70, 48, 80, 2, 2, 1, 1, 1, 0},  {9, 20, 24, 4, 1, 4, 2, 0, 0},   {0, 24, 40, 4, 0, 2, 1, 0, 1},
            {0, 3, 5, 2, 0, 2, 2, 1, 2},     {1, 100, 65, 4, 2, 2, 1, 0, 2},  {3, 31, 140, 6, 5, 4, 2, 1, 2},
            {18, 150, 18, 3, 3, 3, 1, 2, 2}, {50, 64, 32, 5, 4, 2, 1, 0, 2},  {1, 1, 257, 2, 1, 1, 1, 2, 2},
            {1, 70, 17, 4, 3, 3, 1, 2, 3},   {2, 200, 33, 3, 2, 1, 3, 0, 3},  {4, 64, 130, 8, 8, 7, 1, 1, 3},
            {21, 129, 48, 4, 3, 2, 1, 0, 3}, {60, 40, 64, 2, 2, 2, 2, 2, 3},  {0, 16, 16, 3, 0, 1, 4, 0, 3},
            {1, 257, 300, 2, 2, 2, 1, 0, 1}};
  }

  // The layer of granite-3.0-1b-a400m (32 experts of 512 by 1024, 8 of a token), and shares of one device: a
  // quarter of that layer, a sixteenth of OLMoE-1B-7B, and Mixtral 8x7B on 4 times 16 devices.
  std::vector<Shape> bench_shapes() const override {
    struct Layer {
      std::int64_t hidden_size, intermediate_size, experts, top_k, expert_parallel;
      std::vector<std::int64_t> types;
    };
    std::vector<Shape> shapes;
    for (const Layer& layer : {Layer{1024, 512, 32, 8, 1, {1}}, Layer{1024, 512, 8, 8, 4, {0, 1, 2, 3}},
                               Layer{2048, 1024, 4, 8, 16, {1, 2, 3}}, Layer{4096, 896, 2, 2, 4, {1, 2, 3}}})
      for (const std::int64_t tokens : {1, 8, 64, 256})
        for (const std::int64_t type : layer.types)
          shapes.push_back(
              {tokens, layer.hidden_size, layer.intermediate_size, layer.experts,
               fused_moe::likely_filled(tokens, layer.top_k, layer.experts, layer.expert_parallel),
               layer.top_k, layer.expert_parallel, 0, type});
    return shapes;
  }
};

}  // namespace

const Family& fused_moe_family() {
  static const Family& family = *new FusedMoe;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels
