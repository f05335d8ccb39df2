// Tests the definition of operations: which ones are the same, which ones are refused, and where the error
// points.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(Define, TheSameAgainGivesTheSame) {
  Selector selector(test::options());
  Operation& first = selector.define(test::operation({"a", "b"}));
  EXPECT_EQ(&selector.define(test::operation({"a", "b"})), &first);
  EXPECT_EQ(selector.find("op"), &first);
  EXPECT_EQ(selector.find("other"), nullptr);
}

TEST(Define, TheSameAfterAVariantWasAddedGivesTheSame) {
  Selector selector(test::options());
  Operation& first = selector.define(test::operation({"a", "b"}));
  first.add_variant({.name = "c"});
  EXPECT_EQ(&selector.define(test::operation({"a", "b"})), &first);
}

void expect_refused(OperationSpec spec, const std::string& where, const std::string& problem) {
  Selector selector(test::options());
  try {
    selector.define(std::move(spec));
    ADD_FAILURE() << "accepted: " << problem;
  } catch (const Error& error) {
    EXPECT_NE(error.where().find(where), std::string::npos) << error.what();
    EXPECT_NE(error.problem().find(problem), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(selector.define(test::operation({"a"}))) << "the selector is as it was";
}

TEST(Define, AnotherOfTheSameNameIsRefused) {
  const auto differs = [](auto change) {
    Selector selector(test::options());
    selector.define(test::operation({"a", "b"}));
    OperationSpec spec = test::operation({"a", "b"});
    change(spec);
    try {
      selector.define(std::move(spec));
      return false;
    } catch (const Error& error) {
      return error.where() == "op";
    }
  };
  EXPECT_TRUE(differs([](OperationSpec& s) { s.variants.pop_back(); }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.variants.push_back({.name = "c"}); }));
  EXPECT_TRUE(differs([](OperationSpec& s) { std::swap(s.variants[0], s.variants[1]); }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.variants[1].parameters = {{"tile", 64}}; }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.dimensions[0].name = "n"; }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.dimensions[0].kind = DimensionKind::linear; }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.dimensions[0].weight = 2.0; }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.dimensions[0].rounding = Rounding::power_of_two; }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.dimensions.push_back({"n"}); }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.nearest_limit = 2.0; }));
  EXPECT_TRUE(differs([](OperationSpec& s) { s.max_keys = 3; }));
}

TEST(Define, RefusesWhatIsNoName) {
  for (const char* name : {"", ".hidden", "a b", "a/b", "a=b", "ä"}) {
    OperationSpec spec = test::operation({"a"}, name);
    expect_refused(spec, "define", "is not a name");
    spec = test::operation({"a"}, "f");
    spec.dimensions[0].name = name;
    expect_refused(spec, "f", "is not a name");
  }
}

TEST(Define, RefusesAWrongNumberOfDimensions) {
  OperationSpec spec = test::operation({"a"}, "f");
  spec.dimensions.clear();
  expect_refused(spec, "f", "1 to 12 dimensions");
  for (int i = 0; i < 13; ++i) spec.dimensions.push_back({"d" + std::to_string(i)});
  expect_refused(spec, "f", "1 to 12 dimensions");
}

TEST(Define, TakesTwelveDimensions) {
  OperationSpec spec = test::operation({"a"}, "f");
  spec.dimensions.clear();
  for (int i = 0; i < 12; ++i) spec.dimensions.push_back({"d" + std::to_string(i)});
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  EXPECT_TRUE(op.select({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}).timed());
}

TEST(Define, RefusesDimensionsThatMakeNoSense) {
  const auto refuse = [](Dimension dimension, const std::string& problem) {
    OperationSpec spec = test::operation({"a"}, "f");
    spec.dimensions = {std::move(dimension)};
    expect_refused(spec, "f.d", problem);
  };
  refuse(size_dimension("d", -1.0), "weight");
  refuse(size_dimension("d", std::numeric_limits<double>::quiet_NaN()), "weight");
  refuse(size_dimension("d", std::numeric_limits<double>::infinity()), "weight");
  refuse(label_dimension("d", {}), "needs labels");
  refuse(set_dimension("d", {}), "needs labels");
  refuse(label_dimension("d", {"x", "x"}), "the same");
  refuse({"d", DimensionKind::size, {"x"}}, "only a label");
  refuse(set_dimension("d", std::vector<std::string>(64, "x")), "the same");
  std::vector<std::string> many;
  for (int i = 0; i < 64; ++i) many.push_back(std::to_string(i));
  refuse(set_dimension("d", many), "at most 63");
  refuse({"d", DimensionKind::linear, {}, 1.0, Rounding::power_of_two}, "rounded");
}

TEST(Define, RefusesTwoOfOneName) {
  OperationSpec spec = test::operation({"a", "a"}, "f");
  expect_refused(spec, "f", "two variants");
  spec = test::operation({"a"}, "f");
  spec.dimensions.push_back(spec.dimensions[0]);
  expect_refused(spec, "f", "two dimensions");
}

TEST(Define, RefusesVariantsThatMakeNoSense) {
  expect_refused(test::operation({}, "f"), "f", "needs a variant");
  expect_refused(test::operation({"a", ""}, "f"), "f", "the name of a variant must have 1 to 1024 bytes");
}

TEST(Define, RefusesALimitThatIsNoNumber) {
  OperationSpec spec = test::operation({"a"}, "f");
  spec.nearest_limit = std::numeric_limits<double>::quiet_NaN();
  expect_refused(spec, "f", "nearest_limit");
}

TEST(Define, FromManyThreadsGivesOneOperation) {
  Selector selector(test::options());
  std::vector<Operation*> made(8);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < made.size(); ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        Operation& op = selector.define(test::operation({"a", "b"}, "op" + std::to_string(n)));
        op.select({n});
        if (n == 7) made[i] = &op;
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const Operation* op : made) EXPECT_EQ(op, selector.find("op7"));
}

TEST(Operation, TellsWhatItIs) {
  Selector selector(test::options());
  OperationSpec spec = test::operation({"a", "b"}, "f");
  spec.variants[1].parameters = {{"tile", 64}};
  Operation& op = selector.define(spec);
  EXPECT_EQ(op.name(), "f");
  EXPECT_EQ(op.dimensions().size(), 1u);
  EXPECT_EQ(op.variant_count(), 2u);
  EXPECT_EQ(op.variant(1).parameters.at("tile"), Parameter(64));
  EXPECT_EQ(op.find_variant("b"), 1u);
  EXPECT_EQ(op.find_variant("c"), std::nullopt);
  EXPECT_THROW(op.variant(2), Error);
}

TEST(Operations, OfDifferentArityLiveSideBySide) {
  Selector selector(test::options());
  OperationSpec three = test::operation({"x", "y"}, "three");
  three.dimensions = {{"m"}, {"n"}, {"k"}};
  Operation& one = selector.define(test::operation({"a", "b"}, "one"));
  Operation& other = selector.define(three);
  test::learn(one, {8}, {200, 100});
  test::learn(other, {8, 8, 8}, {100, 200});
  EXPECT_EQ(test::incumbent(one, {8}), 1u);
  EXPECT_EQ(test::incumbent(other, {8, 8, 8}), 0u);
}

}  // namespace
}  // namespace adaptive
