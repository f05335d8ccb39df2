// Tests every variant of every family with every test shape: the result is correct and complete, the variant
// is refused where it says so, and results within a numeric class have the same bits.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels {
namespace {

struct Case {
  const Family* family;
  std::size_t variant;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Family* family : families())
    for (std::size_t v = 0; v < family->variants().size(); ++v) cases.push_back({family, v});
  return cases;
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.family->name() + "_" + info.param.family->variants()[info.param.variant].name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.family->name() << ' ' << c.variant;
}

class EveryVariant : public testing::TestWithParam<Case> {
 protected:
  const Family& family = *GetParam().family;
  const std::size_t index = GetParam().variant;
  const Variant& variant = family.variants()[index];
};

TEST_P(EveryVariant, AgreesWithTheReference) {
  if (!variant.available()) {
    const auto problem = family.make_problem(family.test_shapes().front(), 1);
    EXPECT_EQ(problem->launch(index), LaunchStatus::unavailable);
    GTEST_SKIP() << "this processor has not the instructions of " << variant.name;
  }
  int launched = 0;
  for (const Shape& shape : family.test_shapes()) {
    SCOPED_TRACE(to_string(family, shape));
    const auto problem = family.make_problem(shape, 7);
    problem->poison_output();
    if (!variant.supports(shape)) {
      const std::vector<std::byte> before(problem->output().begin(), problem->output().end());
      EXPECT_EQ(problem->launch(index), LaunchStatus::unsupported);
      EXPECT_TRUE(std::ranges::equal(problem->output(), before)) << "a refused launch touched the output";
      continue;
    }
    ASSERT_EQ(problem->launch(index), LaunchStatus::ok);
    EXPECT_LE(problem->max_error(), problem->tolerance());
    ++launched;
    // Scratch memory left by the first launch must not affect the second.
    const std::vector<std::byte> first(problem->output().begin(), problem->output().end());
    problem->poison_output();
    ASSERT_EQ(problem->launch(index), LaunchStatus::ok);
    EXPECT_TRUE(std::ranges::equal(problem->output(), first)) << "two launches differ";
  }
  EXPECT_GE(launched, 3) << "no test shape to speak of for this variant";
}

TEST_P(EveryVariant, RunsOnTwoCallersAtOnce) {
  if (!variant.available()) GTEST_SKIP() << "this processor has not the instructions of " << variant.name;
  std::vector<Shape> shapes;
  for (const Shape& shape : family.test_shapes())
    if (variant.supports(shape)) shapes.push_back(shape);
  ASSERT_FALSE(shapes.empty());
  const auto caller = [&](std::size_t first) {
    for (std::size_t i = 0; i < std::min<std::size_t>(shapes.size(), 4); ++i) {
      const auto problem = family.make_problem(shapes[(first + i) % shapes.size()], 11 + first);
      for (int repeat = 0; repeat < 8; ++repeat) {
        problem->poison_output();
        EXPECT_EQ(problem->launch(index), LaunchStatus::ok);
      }
      EXPECT_LE(problem->max_error(), problem->tolerance()) << problem->description();
    }
  };
  std::thread other(caller, shapes.size() / 2);
  caller(0);
  other.join();
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryVariant, testing::ValuesIn(all_cases()), case_name);

class EveryFamily : public testing::TestWithParam<const Family*> {};

TEST_P(EveryFamily, ClassesAreBitIdentical) {
  const Family& family = *GetParam();
  for (const Shape& shape : family.test_shapes()) {
    SCOPED_TRACE(to_string(family, shape));
    const auto problem = family.make_problem(shape, 3);
    std::map<std::string, std::pair<std::string, std::vector<std::byte>>> first_of_class;
    for (std::size_t v = 0; v < family.variants().size(); ++v) {
      if (!family.runs(v, shape)) continue;
      const Variant& variant = family.variants()[v];
      problem->poison_output();
      ASSERT_EQ(problem->launch(v), LaunchStatus::ok);
      std::vector<std::byte> output(problem->output().begin(), problem->output().end());
      const auto [at, is_first] = first_of_class.try_emplace(variant.numeric_class, variant.name, output);
      EXPECT_TRUE(is_first || at->second.second == output)
          << variant.name << " differs from " << at->second.first << " of class " << variant.numeric_class;
    }
  }
}

TEST_P(EveryFamily, NoticesAWrongElement) {
  const Family& family = *GetParam();
  for (const Shape& shape : family.test_shapes()) {
    const auto problem = family.make_problem(shape, 5);
    if (problem->output().empty()) continue;
    SCOPED_TRACE(to_string(family, shape));
    problem->poison_output();
    EXPECT_GT(problem->max_error(), problem->tolerance()) << "poison was taken for a result";
    ASSERT_EQ(problem->launch(0), LaunchStatus::ok);
    // The problem owns the only output, so the test may write through it.
    auto* last = const_cast<std::byte*>(problem->output().data()) + problem->output().size() - sizeof(float);
    float value;
    std::memcpy(&value, last, sizeof value);
    value += 0.001f + std::abs(value) * 0.001f;
    std::memcpy(last, &value, sizeof value);
    EXPECT_GT(problem->max_error(), problem->tolerance());
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryFamily, testing::ValuesIn(families().begin(), families().end()),
                         [](const auto& family) { return family.param->name(); });

}  // namespace
}  // namespace adaptive::kernels
