#include <stdexcept>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/families.hpp"
#include "kernels/grouped_gemm/cpu/problem.hpp"
#include "kernels/grouped_gemm/problem.hpp"
#include "kernels/grouped_gemm/shape.hpp"

namespace adaptive::kernels {
namespace {

class GroupedGemm final : public Family {
 public:
  GroupedGemm()
      : Family("grouped_gemm",
               {{"tokens", Dimension::Kind::size},
                {"n", Dimension::Kind::size},
                {"k", Dimension::Kind::size},
                {"experts", Dimension::Kind::size},
                {"filled", Dimension::Kind::size},
                {"dtype", Dimension::Kind::label, {"float32", "bfloat16"}}},
               grouped_gemm::cpu_variants()) {}

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return grouped_gemm::why_no_product(dimensions(), shape, 32);
  }

  std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    start_helper_thread();
    return grouped_gemm::make_cpu_problem(shape, seed, variants());
  }

  // The last value is the type: 0 = float32, 1 = bfloat16.
  std::vector<Shape> test_shapes() const override {
    return {
        {1, 1, 1, 1, 1, 0},        {1, 17, 33, 4, 1, 1},     {2, 16, 16, 8, 2, 0},   {3, 50, 129, 3, 3, 1},
        {5, 31, 47, 7, 2, 0},      {7, 130, 64, 16, 5, 1},   {8, 1, 100, 4, 3, 0},   {12, 200, 37, 2, 1, 0},
        {13, 129, 65, 5, 5, 1},    {29, 64, 127, 8, 6, 0},   {40, 33, 530, 6, 4, 1}, {64, 48, 96, 8, 8, 0},
        {100, 145, 61, 11, 7, 1},  {131, 20, 300, 9, 1, 0},  {0, 24, 40, 4, 0, 0},   {0, 3, 5, 2, 0, 1},
        {150, 70, 270, 12, 12, 0}, {97, 257, 1031, 3, 2, 0}, {33, 7, 1, 5, 4, 1}};
  }

  std::vector<Shape> bench_shapes() const override {
    return {{1, 1024, 1024, 8, 1, 0},   {4, 768, 1024, 16, 4, 0},  {8, 512, 512, 32, 8, 1},
            {16, 256, 512, 32, 16, 0},  {16, 1024, 1024, 8, 6, 1}, {32, 512, 1024, 16, 12, 0},
            {64, 512, 512, 16, 16, 1},  {64, 64, 128, 16, 16, 0},  {96, 512, 768, 8, 8, 0},
            {128, 256, 512, 32, 28, 1}, {256, 512, 512, 8, 8, 0},  {256, 1024, 512, 8, 2, 1},
            {512, 512, 512, 16, 16, 1}, {768, 768, 512, 8, 8, 0},  {24, 32, 64, 8, 6, 0}};
  }
};

}  // namespace

const Family& grouped_gemm_family() {
  static const Family& family = *new GroupedGemm;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels
