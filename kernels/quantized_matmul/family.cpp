#include <stdexcept>
#include <utility>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/families.hpp"
#include "kernels/quantized_matmul/cpu/problem.hpp"
#include "kernels/quantized_matmul/problem.hpp"

namespace adaptive::kernels {
namespace {

class QuantizedMatmul final : public Family {
 public:
  QuantizedMatmul()
      : Family("quantized_matmul", quantized_matmul::dimensions(), quantized_matmul::cpu_variants()) {}

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return quantized_matmul::why_no_product(shape, 32);
  }

  std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    start_helper_thread();
    return quantized_matmul::make_cpu_problem(shape, seed, variants());
  }

  // The last values are the types (int8_w8a8, int8_w8a16, fp8_w8a8) and the scales (channel, tensor,
  // block128).
  std::vector<Shape> test_shapes() const override {
    return {{1, 1, 1, 0, 0},      {1, 17, 8, 1, 0},     {2, 16, 16, 2, 0},    {3, 50, 136, 0, 2},
            {5, 31, 47, 2, 1},    {7, 130, 64, 0, 0},   {8, 1, 104, 1, 0},    {8, 129, 520, 2, 2},
            {9, 200, 40, 0, 2},   {13, 129, 65, 1, 0},  {1, 257, 513, 2, 2},  {4, 33, 300, 0, 0},
            {17, 64, 128, 2, 0},  {31, 48, 96, 0, 2},   {33, 7, 8, 2, 1},     {40, 33, 530, 1, 0},
            {64, 145, 61, 0, 0},  {1, 300, 1031, 0, 2}, {1, 100, 300, 1, 0},  {20, 24, 257, 2, 2},
            {12, 257, 129, 0, 0}, {2, 40, 256, 1, 0},   {11, 145, 256, 2, 1}, {3, 64, 385, 2, 0}};
  }

  // Projections of Llama-3.2-1B and Qwen3-1.7B, as in dense_gemm.
  std::vector<Shape> bench_shapes() const override {
    std::vector<Shape> shapes;
    for (const std::int64_t tokens : {1, 4, 16, 64, 256})
      for (const auto& [out, in] : {std::pair{3072, 2048}, {2048, 8192}, {12288, 2048}, {2048, 6144}})
        for (const auto& [types, scales] : {std::pair{0, 0}, {0, 2}, {1, 0}, {2, 1}, {2, 0}, {2, 2}})
          shapes.push_back({tokens, out, in, types, scales});
    return shapes;
  }
};

}  // namespace

const Family& quantized_matmul_family() {
  static const Family& family = *new QuantizedMatmul;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels
