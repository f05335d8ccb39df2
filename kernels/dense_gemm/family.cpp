#include <stdexcept>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/dense_gemm/cpu/problem.hpp"
#include "kernels/dense_gemm/problem.hpp"
#include "kernels/families.hpp"

namespace adaptive::kernels {
namespace {

class DenseGemmOnHost final : public Family {
 public:
  DenseGemmOnHost()
      : Family("dense_gemm", dense_gemm::dimensions_with({"float32", "bfloat16"}),
               dense_gemm::cpu_variants()) {}

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return dense_gemm::why_no_product(dimensions(), shape, 32);
  }

  std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    start_helper_thread();
    return dense_gemm::make_cpu_problem(shape, seed, variants());
  }

  // The last value is the type: 0 = float32, 1 = bfloat16.
  std::vector<Shape> test_shapes() const override {
    return {{1, 1, 1, 0},     {1, 17, 8, 1},    {2, 16, 16, 0},    {3, 50, 136, 1},   {5, 31, 47, 0},
            {7, 130, 64, 1},  {8, 1, 104, 0},   {8, 129, 520, 1},  {9, 200, 40, 0},   {13, 129, 65, 1},
            {1, 257, 513, 0}, {4, 33, 300, 0},  {17, 64, 128, 1},  {31, 48, 96, 0},   {33, 7, 8, 1},
            {40, 33, 530, 0}, {64, 145, 61, 1}, {1, 300, 1031, 1}, {131, 24, 257, 0}, {97, 257, 129, 0}};
  }

  // Projections of Llama-3.2-1B and Qwen3-1.7B, which are of a size that people run on processors.
  std::vector<Shape> bench_shapes() const override {
    std::vector<Shape> shapes;
    for (const std::int64_t m : {1, 4, 16, 64, 256})
      for (const auto& [n, k] : {std::pair{3072, 2048},
                                 {2048, 2048},
                                 {16384, 2048},
                                 {2048, 8192},
                                 {4096, 2048},
                                 {12288, 2048},
                                 {2048, 6144}})
        for (const std::int64_t type : {0, 1}) shapes.push_back({m, n, k, type});
    return shapes;
  }

  std::vector<std::pair<std::string, std::string>> libraries() const override {
    return dense_gemm::cpu_libraries();
  }
};

}  // namespace

const Family& dense_gemm_family() {
  static const Family& family = *new DenseGemmOnHost;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels
