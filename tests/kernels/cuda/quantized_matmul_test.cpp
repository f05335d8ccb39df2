// Tests of quantized_matmul on the GPU beyond those for every family.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/common/float8.hpp"
#include "kernels/quantized_matmul/cuda/problem.hpp"
#include "kernels/quantized_matmul/quantise.hpp"
#include "tests/kernels/cuda/random_operand.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

using quantized_matmul::Scales;
using quantized_matmul::Types;

class Quantized : public OnGpu {
 protected:
  const Family& family = *find_family("quantized_matmul");
};

bool is_library(const std::string& name) {
  return name.starts_with("lt") || name.find("cublas") != std::string::npos;
}

// The tolerance for every variant allows tensor cores that add float8 products with few bits, and weights
// that are rounded. The other variants must keep the tolerance of the host family.
TEST_F(Quantized, AddsInFloat32UnlessItSaysSo) {
  for (const Shape& shape : family.test_shapes()) {
    const auto problem = family.make_problem(shape, {.seed = 5});
    const double tolerance = dynamic_cast<quantized_matmul::QuantizedOnCuda&>(*problem).tolerance_exact();
    SCOPED_TRACE(problem->description());
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      const std::string& name = family.variant(v).name;
      const bool float8 = quantized_matmul::CudaSizes(shape).types == Types::fp8_w8a8;
      if (!family.runs(v, shape) || is_library(name) ||
          (float8 && (name.starts_with("wgmma") || name.starts_with("split") || name.starts_with("stream"))))
        continue;
      SCOPED_TRACE(name);
      ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
      EXPECT_LE(problem->max_error(stream), tolerance);
    }
  }
}

// Quantising in the launch and before it must give the same bits, also if the product begins while the
// activations are still being quantised.
TEST_F(Quantized, GivesTheSameBitsForQuantisedActivations) {
  for (Shape shape : family.test_shapes()) {
    if (quantized_matmul::CudaSizes(shape).types == Types::int8_w8a16) continue;
    shape.back() = 0;
    const auto each_launch = family.make_problem(shape, {.seed = 6, .overlaps = true});
    shape.back() = 1;
    const auto before = family.make_problem(shape, {.seed = 6});
    SCOPED_TRACE(before->description());
    for (std::size_t v = 0; v < quantized_matmul::own_methods().size(); ++v) {
      if (!family.runs(v, shape)) continue;
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(each_launch->prepare(v, stream), LaunchStatus::ok);
      ASSERT_EQ(before->prepare(v, stream), LaunchStatus::ok);
      EXPECT_EQ(each_launch->output(stream), before->output(stream));
    }
  }
}

// Larger than the test shapes: every block computes several tiles, and the tiles end inside bands.
TEST_F(Quantized, IsRightForManyTiles) {
  for (const Shape& shape : {Shape{3000, 2312, 400, 2, 2, 1},
                             {2049, 4104, 272, 0, 0, 1},
                             {1025, 6152, 144, 2, 1, 1},
                             {1900, 3080, 1040, 2, 0, 1},
                             {2500, 2568, 656, 0, 2, 1}}) {
    const auto problem = family.make_problem(shape, {.seed = 4});
    SCOPED_TRACE(problem->description());
    for (const std::size_t v : family.candidates(shape)) {
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
      problem->poison_output(stream);
      for (int repeat = 0; repeat < 3; ++repeat) ASSERT_EQ(problem->launch(v, stream), LaunchStatus::ok);
      EXPECT_LE(problem->max_error(stream), problem->tolerance());
    }
  }
}

// The reference runs on the same device as the kernels that it checks; here the host checks both, from the
// definition of the levels that all backends share.
TEST_F(Quantized, AgreesWithTheHost) {
  constexpr std::int64_t tokens = 7, out = 40, in = 272;
  const std::uint64_t seed = 12;
  const auto uniform = [](std::uint64_t of, std::int64_t i) {
    return static_cast<float>(split_mix(of + (static_cast<std::uint64_t>(i) + 1) * 0x9e3779b97f4a7c15u) >>
                              40) *
           0x1p-24f;
  };
  for (const auto& [types, scales] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {0, 2}, {1, 0}, {2, 0}, {2, 1}, {2, 2}}) {
    const Shape shape = {tokens, out, in, types, scales, 0};
    const bool float8 = types == 2, by_block = scales == 2, by_tensor = scales == 1;
    std::vector<float> x(tokens * in);
    for (std::int64_t i = 0; i < tokens * in; ++i)
      x[static_cast<std::size_t>(i)] = static_cast<float>(
          std::ldexp(random_operand(seed, static_cast<std::uint64_t>(i)), static_cast<int>(i / in % 5) - 2));
    const float usual =
        1 / ((float8 ? e4m3_max : quantized_matmul::int8_max) * std::sqrt(static_cast<float>(in)));
    // The values of the quantised activations.
    std::vector<double> values(x.size());
    const std::int64_t together = by_tensor ? tokens * in : by_block ? 128 : in;
    for (std::int64_t row = 0; row < (by_tensor ? 1 : tokens); ++row) {
      const std::int64_t last = by_tensor ? tokens * in : (row + 1) * in;
      for (std::int64_t first = row * in; first < last; first += together) {
        const auto begin = x.begin() + first;
        const auto end = x.begin() + std::min(first + together, last);
        float largest = 0;
        for (auto at = begin; at != end; ++at) largest = std::max(largest, std::fabs(*at));
        const auto scaling =
            quantized_matmul::scaling_of(largest, float8 ? e4m3_max : quantized_matmul::int8_max);
        std::transform(begin, end, values.begin() + first, [&](float exact) {
          const float scaled = exact * scaling.to_level;
          if (types == 1) return static_cast<double>(exact);
          return static_cast<double>(float8 ? from_e4m3(to_e4m3(scaled))
                                            : quantized_matmul::rounded_to_int8(scaled)) *
                 static_cast<double>(scaling.scale);
        });
      }
    }
    const auto expected = [&](std::int64_t token, std::int64_t row) {
      double sum = 0;
      for (std::int64_t i = 0; i < in; ++i) {
        const float random = uniform(seed ^ weights_seed, row * in + i);
        const float weight =
            float8 ? from_e4m3(to_e4m3(-448 + 896 * random)) : std::floor(255 * random) - 127;
        const std::int64_t scale = by_tensor ? 0 : by_block ? row / 128 * 4 + i / 128 : row;
        sum += values[static_cast<std::size_t>(token * in + i)] * static_cast<double>(weight) *
               static_cast<double>(usual * (0.5F + 1.5F * uniform(seed ^ 0x7363616c6573u, scale)));
      }
      return sum;
    };
    const auto problem = family.make_problem(shape, {.seed = seed});
    SCOPED_TRACE(problem->description());
    for (const std::size_t v : family.candidates(shape)) {
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
      const std::vector<std::byte> output = problem->output(stream);
      ASSERT_EQ(output.size(), static_cast<std::size_t>(tokens * out * 2));
      for (std::int64_t token = 0; token < tokens; ++token)
        for (std::int64_t row = 0; row < out; ++row) {
          std::uint16_t bits;
          std::memcpy(&bits, &output[static_cast<std::size_t>((token * out + row) * 2)], sizeof bits);
          const double value = expected(token, row);
          ASSERT_NEAR(static_cast<double>(kernels::from_bfloat16(bits)), value,
                      2e-3 + std::abs(value) * 0x1p-8)
              << token << ' ' << row;
        }
    }
  }
}

TEST_F(Quantized, LibraryNamesSayWhetherAccumulationIsFast) {
  const std::string name = "lt66_t20_s35_k1_r0_x0_o0_i0_c5";
  const auto exact = family.parse(name, {});
  const auto fast = family.parse(name + "_fast", {{"fast_accumulation", true}});
  ASSERT_TRUE(exact);
  ASSERT_TRUE(fast);
  EXPECT_NE(*exact, *fast);
  EXPECT_EQ(family.parse(name, {{"fast_accumulation", true}}), std::nullopt);
  // Scales by block have no fast accumulation, and int8 has none to speed up.
  EXPECT_FALSE(family.variant(*fast).supports({64, 256, 512, 2, 2, 1}));
  EXPECT_FALSE(family.variant(*fast).supports({64, 256, 512, 0, 0, 1}));
}

}  // namespace
}  // namespace adaptive::kernels::cuda
