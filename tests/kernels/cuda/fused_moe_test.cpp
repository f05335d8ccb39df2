// Tests of fused_moe on the GPU beyond those for every family.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/common/float8.hpp"
#include "kernels/fused_moe/cuda/problem.hpp"
#include "tests/kernels/cuda/random_operand.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

class FusedMoe : public OnGpu {
 protected:
  const Family& family = *find_family("fused_moe");

  void expect_right(const Shape& shape, int repeats) {
    const auto problem = family.make_problem(shape, {.seed = 4});
    SCOPED_TRACE(problem->description());
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      if (!family.runs(v, shape)) continue;
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
      problem->poison_output(stream);
      for (int repeat = 0; repeat < repeats; ++repeat)
        ASSERT_EQ(problem->launch(v, stream), LaunchStatus::ok);
      EXPECT_LE(problem->max_error(stream), problem->tolerance());
    }
  }

  /// Runs every variant of the shape and compares its whole output, in bfloat16, with what the host expects.
  void expect_near(Problem& problem, const Shape& shape, const std::vector<double>& expected, double absolute,
                   double relative) {
    int ran = 0;
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      if (!family.runs(v, shape)) continue;
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(problem.prepare(v, stream), LaunchStatus::ok);
      const std::vector<std::byte> output = problem.output(stream);
      ASSERT_EQ(output.size(), expected.size() * 2);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        std::uint16_t bits;
        std::memcpy(&bits, &output[2 * i], sizeof bits);
        ASSERT_NEAR(static_cast<double>(from_bfloat16(bits)), expected[i],
                    absolute + std::abs(expected[i]) * relative)
            << i;
      }
      ++ran;
    }
    EXPECT_GE(ran, 1);
  }
};

double rounded_to_bfloat16(double number) {
  const auto value = static_cast<float>(number);
  std::uint32_t word;
  std::memcpy(&word, &value, sizeof word);
  word += 0x7FFF + (word >> 16 & 1);
  return static_cast<double>(from_bfloat16(static_cast<std::uint16_t>(word >> 16)));
}

/// The bfloat16 number that the device makes of element `i`, uniform in [-bound, bound).
double operand(std::uint64_t seed, std::uint64_t i, float bound) {
  const std::uint64_t bits = split_mix(seed + (i + 1) * 0x9e3779b97f4a7c15u);
  return rounded_to_bfloat16(
      static_cast<double>(bound * (-1.0f + 2.0f * (static_cast<float>(bits >> 40) * 0x1p-24f))));
}

// The reference runs on the same device as the kernels that it checks; here the host checks both.
TEST_F(FusedMoe, AgreesWithTheHost) {
  constexpr std::int64_t tokens = 11, hidden = 72, width = 40, experts = 5, top_k = 3;
  constexpr std::uint64_t seed = 12;
  const Shape shape = {tokens, hidden, width, experts, 4, top_k, 2, 2, 0};
  const auto problem = family.make_problem(shape, {.seed = seed});
  const fused_moe::Routing& routing = dynamic_cast<fused_moe::FusedMoeOnCuda&>(*problem).routing();
  const float up_bound = 3.0f / std::sqrt(static_cast<float>(hidden));
  const float down_bound = 1.0f / std::sqrt(static_cast<float>(width));
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  std::vector<double> expected(at(tokens * hidden));
  for (std::int64_t pair = 0; pair < tokens * top_k; ++pair) {
    const std::int64_t place = routing.expert_map[at(routing.ids[at(pair)])];
    if (place < 0) continue;
    const std::int64_t token = pair / top_k;
    const auto product = [&](std::int64_t row) {
      double sum = 0;
      for (std::int64_t i = 0; i < hidden; ++i)
        sum += operand(seed, at(token * hidden + i), 3.0f) *
               operand(seed ^ 0x7570, at((place * 2 * width + row) * hidden + i), up_bound);
      return sum;
    };
    for (std::int64_t i = 0; i < width; ++i) {
      const double gate = std::min(product(i), 7.0);
      const double up = std::clamp(product(width + i), -7.0, 7.0);
      const double h = gate / (1 + std::exp(-1.702 * gate)) * (up + 1);
      for (std::int64_t column = 0; column < hidden; ++column)
        expected[at(token * hidden + column)] +=
            static_cast<double>(routing.weights[at(pair)]) * h *
            operand(seed ^ 0x646f, at((place * hidden + column) * width + i), down_bound);
    }
  }
  // h and the rows of down have eight bits.
  expect_near(*problem, shape, expected, 0.02, 0x1p-7);
}

/// The operands of the types other than bfloat16, made as the device makes them.
class HostLevels {
 public:
  HostLevels(fused_moe::DeviceType type, std::uint64_t seed, float bound)
      : type_(type), seed_(seed), bound_(bound) {}

  /// Weight [row][column] of part `part`; parts have `rows` rows.
  double weight(std::int64_t part, std::int64_t row, std::int64_t column, std::int64_t rows,
                std::int64_t columns) const {
    using fused_moe::DeviceType;
    const std::int64_t at = (part * rows + row) * columns + column;
    switch (type_) {
      case DeviceType::fp8_w8a8:
        return static_cast<double>(
                   from_e4m3(to_e4m3(448.0f * (-1.0f + 2.0f * (static_cast<float>(bits(at)) * 0x1p-32f))))) *
               scale((part * ((rows + 127) / 128) + row / 128) * ((columns + 127) / 128) + column / 128,
                     bound_ / 448);
      case DeviceType::int4_w4a16: {
        // A byte of a word of eight columns has two of its even columns, or two of its odd ones.
        const std::int64_t in_word = at % 8;
        const std::int64_t byte = at / 8 * 4 + in_word / 4 + in_word % 2 * 2;
        const auto level = static_cast<int>(bits(byte) >> (in_word / 2 % 2 * 4) & 15);
        return (level - 8) * rounded_to_bfloat16(scale(at / 64, bound_ / 8));
      }
      default:
        return (static_cast<int>(bits(at) % 255) - 127) * scale(part * rows + row, bound_ / 127);
    }
  }

 private:
  std::uint64_t bits(std::int64_t i) const {
    return split_mix(seed_ + (static_cast<std::uint64_t>(i) + 1) * 0x9e3779b97f4a7c15u) >> 32;
  }
  double scale(std::int64_t i, float bound) const {
    const std::uint64_t random = split_mix(~seed_ + static_cast<std::uint64_t>(i)) >> 40;
    return static_cast<double>(bound * (0.5f + static_cast<float>(random) * 0x1p-24f));
  }

  fused_moe::DeviceType type_;
  std::uint64_t seed_;
  float bound_;
};

/// Quantises a row as a launch does, and returns what is left of its numbers.
void quantise(fused_moe::DeviceType type, std::vector<double>& row) {
  using fused_moe::DeviceType;
  if (type != DeviceType::fp8_w8a8 && type != DeviceType::int8_w8a8) return;
  const bool by_row = type == DeviceType::int8_w8a8;
  const float level_max = by_row ? 127.0f : 448.0f;
  for (std::size_t first = 0; first < row.size(); first += by_row ? row.size() : 128) {
    const std::size_t end = by_row ? row.size() : std::min(row.size(), first + 128);
    float largest = 0;
    for (std::size_t i = first; i < end; ++i) {
      row[i] = rounded_to_bfloat16(row[i]);
      largest = std::max(largest, std::abs(static_cast<float>(row[i])));
    }
    for (std::size_t i = first; i < end && largest > 0; ++i) {
      const float scaled = static_cast<float>(row[i]) * (level_max / largest);
      const float level = by_row ? std::nearbyint(scaled) : from_e4m3(to_e4m3(scaled));
      row[i] = static_cast<double>(level) * static_cast<double>(largest / level_max);
    }
  }
}

// As AgreesWithTheHost.
TEST_F(FusedMoe, OfLevelsAgreesWithTheHost) {
  using fused_moe::DeviceType;
  constexpr std::int64_t tokens = 11, hidden = 256, width = 128, experts = 5, top_k = 3;
  constexpr std::uint64_t seed = 12;
  const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
  for (const DeviceType type :
       {DeviceType::fp8_w8a8, DeviceType::int8_w8a16, DeviceType::int4_w4a16, DeviceType::int8_w8a8}) {
    const Shape shape = {tokens, hidden, width, experts, 4, top_k, 2, 2, static_cast<std::int64_t>(type)};
    const auto problem = family.make_problem(shape, {.seed = seed});
    SCOPED_TRACE(problem->description());
    const fused_moe::Routing& routing = dynamic_cast<fused_moe::FusedMoeOnCuda&>(*problem).routing();
    const HostLevels up(type, seed ^ 0x7570, 3.0f / std::sqrt(static_cast<float>(hidden)));
    const HostLevels down(type, seed ^ 0x646f, 1.0f / std::sqrt(static_cast<float>(width)));
    std::vector<double> expected(at(tokens * hidden));
    for (std::int64_t pair = 0; pair < tokens * top_k; ++pair) {
      const std::int64_t place = routing.expert_map[at(routing.ids[at(pair)])];
      if (place < 0) continue;
      const std::int64_t token = pair / top_k;
      std::vector<double> x(at(hidden)), h(at(width));
      for (std::int64_t i = 0; i < hidden; ++i) x[at(i)] = operand(seed, at(token * hidden + i), 3.0f);
      quantise(type, x);
      for (std::int64_t i = 0; i < width; ++i) {
        double sums[2] = {};
        for (std::int64_t part = 0; part < 2; ++part)
          for (std::int64_t k = 0; k < hidden; ++k)
            sums[part] += x[at(k)] * up.weight(2 * place + part, i, k, width, hidden);
        const double gate = std::min(sums[0], 7.0);
        h[at(i)] = gate / (1 + std::exp(-1.702 * gate)) * (std::clamp(sums[1], -7.0, 7.0) + 1);
      }
      quantise(type, h);
      for (std::int64_t column = 0; column < hidden; ++column)
        for (std::int64_t i = 0; i < width; ++i)
          expected[at(token * hidden + column)] += static_cast<double>(routing.weights[at(pair)]) * h[at(i)] *
                                                   down.weight(place, column, i, hidden, width);
    }
    // A number of h may be rounded to the next level of float8, of which there are 8 between powers of 2.
    expect_near(*problem, shape, expected, 0.04, 0x1p-6);
    if (HasFatalFailure()) return;
  }
}

// Larger than the test shapes: many tiles of every size, so that blocks take tiles from the counter many
// times, and several chunks of pairs to sort.
TEST_F(FusedMoe, IsRightForManyTiles) {
  const std::vector<Shape> shapes = {
      {600, 512, 192, 256, 200, 8, 1, 0, 0},  // a few rows of each expert
      {3000, 264, 200, 3, 2, 1, 2, 1, 0},     // hundreds of rows of two experts
      {1100, 520, 520, 128, 60, 8, 4, 2, 0},  // most pairs elsewhere
      {4096, 256, 128, 8, 8, 4, 1, 0, 0},    {600, 512, 384, 256, 200, 8, 1, 0, 1},  // float8
      {3000, 272, 208, 3, 2, 1, 2, 1, 1},    {4096, 384, 256, 8, 8, 4, 1, 0, 1},
      {2000, 512, 384, 16, 12, 8, 1, 2, 2},  // int8 weights
      {2000, 512, 384, 16, 12, 8, 1, 2, 3},  // 4 bits
      {2000, 512, 384, 16, 12, 8, 1, 2, 4},  // int8
  };
  for (const Shape& shape : shapes) expect_right(shape, 3);
}

// Each kernel relies on what the ones before it have written; launches without a pause between them would
// show a kernel that begins too early.
TEST_F(FusedMoe, IsRightInManyLaunchesInARow) {
  for (const std::int64_t type : {0, 1, 2, 3, 4})
    for (const std::int64_t tokens : {1, 7, 40, 130})
      expect_right({tokens, 1024, 512, 32, 8, 8, 1, 0, type}, 50);
}

TEST_F(FusedMoe, TokensWithoutAnExpertHereBecomeZero) {
  const Shape shape = {9, 24, 40, 4, 0, 4, 2, 2, 0};
  const auto problem = family.make_problem(shape, {.seed = 3});
  for (std::size_t v = 0; v < family.variant_count(); ++v) {
    if (!family.runs(v, shape)) continue;
    problem->poison_output(stream);
    ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
    for (const std::byte byte : problem->output(stream))
      ASSERT_EQ(byte, std::byte{0}) << family.variant(v).name;
  }
  EXPECT_EQ(problem->operations(), 0);
}

// Needs no GPU. With these parameters, a variant has a row in the files of vLLM and SGLang
// (configs/mappings/fused_moe.json).
TEST(FusedMoeVariants, HaveTheParametersOfAPairOfTritonTiles) {
  const Family& family = *find_family("fused_moe");
  for (std::size_t v = 1; v < family.variant_count(); ++v) {
    const Variant& variant = family.variant(v);
    SCOPED_TRACE(variant.name);
    const auto value = [&](const std::string& name) {
      const auto at = std::find_if(variant.parameters.begin(), variant.parameters.end(),
                                   [&](const auto& parameter) { return parameter.first == name; });
      return at == variant.parameters.end() ? 0 : std::get<std::int64_t>(at->second);
    };
    for (const char* name : {"rows", "columns_up", "depth_up", "band_up", "warps_up", "stages_up",
                             "columns_down", "depth_down", "band_down", "warps_down", "stages_down"})
      EXPECT_GE(value(name), 1) << name;
    for (const char* name : {"warps_up", "warps_down"}) EXPECT_EQ(value(name) & (value(name) - 1), 0) << name;
    EXPECT_EQ(variant.name.starts_with("r" + std::to_string(value("rows")) + "_"), true);
  }
}

}  // namespace
}  // namespace adaptive::kernels::cuda
