#include <stdexcept>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/families.hpp"
#include "kernels/mixed_bit_matmul/cpu/problem.hpp"
#include "kernels/mixed_bit_matmul/problem.hpp"

namespace adaptive::kernels {
namespace {

using namespace mixed_bit_matmul;

class MixedBitMatmul final : public Family {
 public:
  MixedBitMatmul()
      : Family("mixed_bit_matmul",
               {{"tokens", Dimension::Kind::size},
                {"out_features", Dimension::Kind::size},
                {"in_features", Dimension::Kind::size},
                {"bits", Dimension::Kind::label_set, {"2", "3", "4", "8"}}},
               mixed_bit_matmul::cpu_variants()) {}

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    if (auto why = why_out_of_range(dimensions(), shape)) return why;
    const Sizes sizes(shape);
    if (sizes.out_features == 0) return "out_features is 0; it must be at least 1";
    if (sizes.in_features == 0) return "in_features is 0; it must be at least 1";
    constexpr std::int64_t elements_max = std::int64_t{1} << 32;
    if (sizes.out_features * sizes.in_features > elements_max)
      return "out_features * in_features is above 2^32";
    if (sizes.tokens * std::max(sizes.out_features, sizes.in_features) > elements_max)
      return "tokens * features is above 2^32";
    return std::nullopt;
  }

  std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    start_helper_thread();
    return mixed_bit_matmul::make_cpu_problem(shape, seed, variants());
  }

  // Bit masks of widths: 1 = width 2, 2 = width 3, 4 = width 4, 8 = width 8.
  std::vector<Shape> test_shapes() const override {
    return {{1, 1, 1, 1},      {1, 16, 64, 4},    {1, 17, 63, 2},    {1, 130, 129, 15},  {2, 31, 65, 8},
            {3, 48, 200, 5},   {4, 97, 131, 3},   {5, 1, 257, 4},    {7, 113, 64, 12},   {8, 64, 320, 6},
            {9, 33, 127, 10},  {12, 160, 513, 7}, {13, 145, 77, 15}, {17, 129, 300, 14}, {31, 67, 259, 9},
            {64, 128, 256, 4}, {0, 40, 100, 15},  {2, 259, 64, 1},   {1, 200, 1, 15},    {130, 20, 70, 2}};
  }

  std::vector<Shape> bench_shapes() const override {
    return {{1, 4096, 4096, 4}, {1, 4096, 4096, 1},   {1, 1024, 4096, 2},   {1, 1536, 1536, 5},
            {1, 256, 512, 4},   {2, 4096, 4096, 4},   {4, 4096, 2048, 5},   {5, 2048, 2048, 2},
            {8, 4096, 4096, 4}, {12, 2048, 2048, 9},  {16, 4096, 4096, 15}, {33, 2048, 2048, 4},
            {64, 256, 1024, 8}, {128, 4096, 1024, 5}, {256, 2048, 2048, 4}};
  }
};

}  // namespace

const Family& mixed_bit_matmul_family() {
  static const Family& family = *new MixedBitMatmul;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels
