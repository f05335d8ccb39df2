// Tests what cuda_family.hpp guarantees for every family, except the numeric results.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <set>
#include <stdexcept>

#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

class AnyCudaFamily : public OnGpu, public testing::WithParamInterface<const Family*> {
 protected:
  const Family& family = *GetParam();
};

// Needs no GPU.
class AnyCudaFamilyOnHost : public testing::TestWithParam<const Family*> {
 protected:
  const Family& family = *GetParam();
};

TEST_P(AnyCudaFamilyOnHost, IsFoundByName) {
  EXPECT_EQ(find_family(family.name()), &family);
  EXPECT_EQ(find_family("no_such_family"), nullptr);
}

TEST_P(AnyCudaFamilyOnHost, RefusesInvalidShapesWithTheReason) {
  const Shape valid = family.test_shapes().front();
  std::vector<Shape> invalid = {{}, {1}, valid, valid};
  invalid[2].push_back(1);
  invalid[3].pop_back();
  for (std::size_t i = 0; i < valid.size(); ++i) {
    for (const std::int64_t value : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::max(),
                                     std::numeric_limits<std::int64_t>::min()}) {
      Shape shape = valid;
      shape[i] = value;
      const auto why = family.why_invalid(shape);
      ASSERT_TRUE(why) << family.dimensions()[i].name << ' ' << value;
      EXPECT_NE(why->find(family.dimensions()[i].name), std::string::npos) << *why;
      invalid.push_back(shape);
    }
  }
  for (const Shape& shape : invalid) EXPECT_THROW(family.make_problem(shape, {}), std::invalid_argument);
  for (const auto& shapes : {family.test_shapes(), family.bench_shapes()})
    for (const Shape& shape : shapes) EXPECT_EQ(family.why_invalid(shape), std::nullopt);
  EXPECT_GE(family.bench_shapes().size(), 12u);
}

TEST_P(AnyCudaFamilyOnHost, ParsesTheNamesOfItsOwnVariants) {
  for (std::size_t v = 0; v < family.variant_count(); ++v) {
    const Variant& variant = family.variant(v);
    EXPECT_FALSE(variant.numeric_class.empty()) << variant.name;
    EXPECT_EQ(family.parse(variant.name, variant.parameters), v) << variant.name;
    EXPECT_EQ(family.find_variant(variant.name), v);
  }
  const std::size_t before = family.variant_count();
  EXPECT_EQ(family.parse("no such variant", {}), std::nullopt);
  EXPECT_EQ(family.variant_count(), before);
}

TEST_P(AnyCudaFamily, NamesCandidatesThatRoundTripThroughTheirNames) {
  std::set<std::size_t> all;
  for (const auto& shapes : {family.test_shapes(), family.bench_shapes()}) {
    for (const Shape& shape : shapes) {
      const std::vector<std::size_t> candidates = family.candidates(shape);
      ASSERT_FALSE(candidates.empty());
      EXPECT_EQ(std::set<std::size_t>(candidates.begin(), candidates.end()).size(), candidates.size());
      for (const std::size_t v : candidates) {
        ASSERT_LT(v, family.variant_count());
        EXPECT_TRUE(family.runs(v, shape)) << family.variant(v).name;
        EXPECT_EQ(family.parse(family.variant(v).name, family.variant(v).parameters), v);
        EXPECT_EQ(family.parse(family.variant(v).name, {}), v) << "the name alone says it all";
        all.insert(v);
      }
      EXPECT_EQ(family.candidates(shape), candidates) << "asked again";
    }
  }
  std::printf("%s: %zu variants are candidates of some shape\n", family.name().c_str(), all.size());
}

TEST_P(AnyCudaFamily, MakesTheSameProblemForTheSameSeed) {
  const Shape shape = family.test_shapes()[4];
  std::vector<std::vector<std::byte>> outputs;
  for (const std::uint64_t seed : {5u, 5u, 6u}) {
    const auto problem = family.make_problem(shape, {.seed = seed});
    EXPECT_NE(problem->description().find("seed=" + std::to_string(seed)), std::string::npos);
    ASSERT_EQ(problem->prepare(0, stream), LaunchStatus::ok);
    outputs.push_back(problem->output(stream));
    EXPECT_GE(problem->bytes(), static_cast<double>(outputs.back().size()));
  }
  EXPECT_EQ(outputs[0], outputs[1]);
  EXPECT_NE(outputs[0], outputs[2]);
}

// A program serves any number of tokens with one copy of a model's weights.
TEST_P(AnyCudaFamily, LendsOperandsToProblemsWithFewerRows) {
  std::size_t lent = 0;
  for (const Shape& shape : family.test_shapes()) {
    const auto lender = family.make_problem(shape, {.seed = 3});
    for (const std::int64_t rows : {shape[0], shape[0] / 2}) {
      Shape fewer = shape;
      fewer[0] = rows;
      if (family.why_invalid(fewer)) continue;
      std::unique_ptr<Problem> borrower;
      try {
        borrower = family.make_problem(fewer, {.operands_of = lender.get()});
      } catch (const std::invalid_argument&) {
        GTEST_SKIP() << family.name() << " does not share operands";
      }
      for (const std::size_t v : family.candidates(fewer)) {
        ASSERT_EQ(borrower->prepare(v, stream), LaunchStatus::ok) << family.variant(v).name;
        borrower->poison_output(stream);
        ASSERT_EQ(borrower->launch(v, stream), LaunchStatus::ok);
        EXPECT_LE(borrower->max_error(stream), borrower->tolerance())
            << family.variant(v).name << ' ' << borrower->description();
      }
      ++lent;
    }
  }
  EXPECT_GT(lent, 0u);
}

TEST_P(AnyCudaFamily, LendsNothingToAProblemThatDoesNotFit) {
  const Shape shape = family.test_shapes()[4];
  const auto lender = family.make_problem(shape, {});
  Shape more = shape;
  ++more[0];
  Shape wider = shape;
  ++wider[1];
  for (const Shape& other : {more, wider}) {
    if (family.why_invalid(other)) continue;
    EXPECT_THROW(family.make_problem(other, {.operands_of = lender.get()}), std::invalid_argument);
  }
  for (const Family* another : families()) {
    if (another == &family) continue;
    EXPECT_THROW(another->make_problem(another->test_shapes()[4], {.operands_of = lender.get()}),
                 std::invalid_argument);
  }
}

INSTANTIATE_TEST_SUITE_P(Cuda, AnyCudaFamily, testing::ValuesIn(families().begin(), families().end()),
                         [](const auto& family) { return family.param->name(); });
INSTANTIATE_TEST_SUITE_P(Cuda, AnyCudaFamilyOnHost, testing::ValuesIn(families().begin(), families().end()),
                         [](const auto& family) { return family.param->name(); });

}  // namespace
}  // namespace adaptive::kernels::cuda
