// Tests of grouped_gemm on the GPU beyond those for every family.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "kernels/grouped_gemm/cuda/problem.hpp"
#include "tests/kernels/cuda/random_operand.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

class GroupedGemm : public OnGpu {
 protected:
  const Family& family = *find_family("grouped_gemm");
};

// The reference runs on the same device as the kernels that it checks; here the host checks both.
TEST_F(GroupedGemm, AgreesWithTheHost) {
  const std::uint64_t n = 72;
  const std::uint64_t k = 136;
  const Shape shape = {21, 72, 136, 6, 3, 3, 0, 0};
  const std::uint64_t seed = 12;
  const auto problem = family.make_problem(shape, {.seed = seed});
  const auto rows_of = dynamic_cast<grouped_gemm::GroupedGemmOnCuda&>(*problem).rows_of();
  for (std::size_t v = 0; v < family.variant_count(); ++v) {
    if (!family.runs(v, shape)) continue;
    SCOPED_TRACE(family.variant(v).name);
    ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
    const std::vector<std::byte> output = problem->output(stream);
    ASSERT_EQ(output.size(), 21 * n * 2);
    std::uint64_t row = 0;
    for (std::uint64_t expert = 0; expert < rows_of.size(); ++expert)
      for (std::int64_t i = 0; i < rows_of[expert]; ++i, ++row)
        for (std::uint64_t column = 0; column < n; ++column) {
          double expected = 0.0;
          for (std::uint64_t j = 0; j < k; ++j)
            expected += random_operand(seed, row * k + j) *
                        random_operand(seed ^ weights_seed, (expert * n + column) * k + j);
          std::uint16_t bits;
          std::memcpy(&bits, &output[(row * n + column) * 2], sizeof bits);
          ASSERT_NEAR(from_bfloat16(bits), expected, 1e-4 + std::abs(expected) * 0x1p-8)
              << row << ' ' << column;
        }
  }
}

// Larger than the test shapes: many tiles of every size, so that blocks take tiles from the counter many
// times.
TEST_F(GroupedGemm, IsRightForExtremeRoutings) {
  const std::vector<Shape> shapes = {
      {4096, 512, 192, 256, 1, 64, 0, 0},     // one expert has all rows
      {4096, 512, 192, 256, 256, 256, 0, 0},  // none has more than a tile
      {4000, 520, 200, 256, 200, 259, 1, 1},  // few have nearly all, most have one or two
      {256, 2048, 768, 256, 256, 256, 0, 0},  // one row each
      {9000, 1032, 72, 3, 3, 142, 1, 0},
  };
  for (const Shape& shape : shapes) {
    const auto problem = family.make_problem(shape, {.seed = 4});
    SCOPED_TRACE(problem->description());
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      if (!family.runs(v, shape)) continue;
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
      problem->poison_output(stream);
      for (int repeat = 0; repeat < 3; ++repeat) ASSERT_EQ(problem->launch(v, stream), LaunchStatus::ok);
      EXPECT_LE(problem->max_error(stream), problem->tolerance());
    }
  }
}

// Sorted rows and rows found by an index give the same bits.
TEST_F(GroupedGemm, OfGatheredRowsRunsAllThatNeedNoRoutingOnTheHost) {
  const Shape sorted = {100, 64, 64, 8, 8, 8, 0, 0};
  Shape gathered = sorted;
  gathered.back() = 1;
  for (std::size_t v = 0; v < family.variant_count(); ++v) {
    const auto& parameters = family.variant(v).parameters;
    const bool host = std::any_of(parameters.begin(), parameters.end(),
                                  [](const auto& parameter) { return parameter.first == "routing"; });
    EXPECT_EQ(family.variant(v).supports(gathered), !host) << family.variant(v).name;
    EXPECT_TRUE(family.variant(v).supports(sorted)) << family.variant(v).name;
  }
}

}  // namespace
}  // namespace adaptive::kernels::cuda
