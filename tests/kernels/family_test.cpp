// Tests what family.hpp guarantees for every family, except the numeric results.

#include "kernels/family.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <stdexcept>

namespace adaptive::kernels {
namespace {

TEST(Families, AreFoundByName) {
  ASSERT_FALSE(families().empty());
  for (const Family* family : families()) EXPECT_EQ(find_family(family->name()), family);
  EXPECT_EQ(find_family("no_such_family"), nullptr);
}

class AnyFamily : public testing::TestWithParam<const Family*> {
 protected:
  const Family& family = *GetParam();
};

TEST_P(AnyFamily, NamesItsVariantsOnce) {
  std::set<std::string> names;
  for (const Variant& variant : family.variants()) {
    EXPECT_TRUE(names.insert(variant.name).second) << variant.name;
    EXPECT_FALSE(variant.numeric_class.empty()) << variant.name;
  }
  EXPECT_GE(names.size(), 2u) << "nothing to choose from";
}

TEST_P(AnyFamily, HasADefaultThatRunsEverything) {
  for (const auto& shapes : {family.test_shapes(), family.bench_shapes()})
    for (const Shape& shape : shapes) EXPECT_TRUE(family.runs(0, shape)) << to_string(family, shape);
}

TEST_P(AnyFamily, TakesItsOwnShapes) {
  EXPECT_GE(family.bench_shapes().size(), 12u);
  for (const auto& shapes : {family.test_shapes(), family.bench_shapes()})
    for (const Shape& shape : shapes)
      EXPECT_EQ(family.why_invalid(shape), std::nullopt) << to_string(family, shape);
}

TEST_P(AnyFamily, RefusesInvalidShapesWithTheReason) {
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
    if (family.dimensions()[i].kind == Dimension::Kind::label_set) {
      Shape shape = valid;
      shape[i] = 0;
      EXPECT_TRUE(family.why_invalid(shape)) << "an empty set";
    }
  }
  for (const Shape& shape : invalid) EXPECT_THROW(family.make_problem(shape, 1), std::invalid_argument);
}

TEST_P(AnyFamily, MakesTheSameProblemForTheSameSeed) {
  for (const Shape& shape : family.test_shapes()) {
    const auto a = family.make_problem(shape, 5);
    const auto b = family.make_problem(shape, 5);
    const auto c = family.make_problem(shape, 6);
    for (const auto& problem : {a.get(), b.get(), c.get()}) ASSERT_EQ(problem->launch(0), LaunchStatus::ok);
    EXPECT_EQ(a->shape(), shape);
    EXPECT_EQ(a->description(), b->description());
    EXPECT_NE(a->description(), c->description()) << "the description leaves out the seed";
    EXPECT_TRUE(std::ranges::equal(a->output(), b->output())) << a->description();
    EXPECT_TRUE(a->output().empty() || !std::ranges::equal(a->output(), c->output())) << a->description();
    EXPECT_GE(a->bytes(), static_cast<double>(a->output().size()));
    EXPECT_GE(a->operations(), 0);
  }
}

TEST_P(AnyFamily, RefusesAnUnknownVariant) {
  const auto problem = family.make_problem(family.test_shapes().front(), 1);
  EXPECT_EQ(problem->launch(family.variants().size()), LaunchStatus::unknown_variant);
  EXPECT_FALSE(family.runs(family.variants().size(), problem->shape()));
}

INSTANTIATE_TEST_SUITE_P(Kernels, AnyFamily, testing::ValuesIn(families().begin(), families().end()),
                         [](const auto& family) { return family.param->name(); });

}  // namespace
}  // namespace adaptive::kernels
