// Tests an operation that gets variants while it runs.
#include <gtest/gtest.h>

#include <string>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(AddVariant, IsTakenUpByKnownAndNewKeys) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  test::learn(op, {8}, {200, 150});
  EXPECT_EQ(op.add_variant({.name = "c"}), 2u);
  EXPECT_EQ(op.variant_count(), 3u);
  test::learn(op, {8}, {200, 150, 100});
  test::learn(op, {64}, {200, 150, 100});
  EXPECT_EQ(test::incumbent(op, {8}), 2u);
  EXPECT_EQ(test::incumbent(op, {64}), 2u);
}

TEST(AddVariant, IsNotTriedWhereItCannotRun) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"a"}));
  op.select({7});
  op.select({8});
  op.add_variant({.name = "even", .supports = [](const Key& key) { return key[0] % 2 == 0; }});
  bool even = false;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(op.select({7}).variant(), 0u);
    even = even || op.select({8}).variant() == 1;
  }
  EXPECT_TRUE(even);
  EXPECT_EQ(op.explain({7}).unsupported, std::vector<std::string>{"even"});
}

TEST(AddVariant, IsNotTriedWhereTheProgramNamesTheCandidates) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.candidates = [](const Key&) { return std::vector<std::uint32_t>{0, 1}; };
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(spec);
  op.select({8});
  op.add_variant({.name = "c"});
  for (int i = 0; i < 100; ++i) EXPECT_NE(op.select({8}).variant(), 2u);
}

TEST(AddVariant, RefusesANameInUseAndNone) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a"}));
  EXPECT_THROW(op.add_variant({.name = "a"}), Error);
  EXPECT_THROW(op.add_variant({}), Error);
  EXPECT_EQ(op.variant_count(), 1u);
}

TEST(AddVariant, SurvivesAReset) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a"}));
  test::launch(op, {8}, {200}, 10);
  op.add_variant({.name = "b"});
  op.reset();
  test::learn(op, {8}, {200, 100});
  EXPECT_EQ(test::incumbent(op, {8}), 1u);
}

// One wrong answer for a new variant must not leave the operation half changed.
TEST(AddVariant, ThatThrowsForAKeyIsNotUsedForIt) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"a"}));
  for (int m = 1; m <= 3; ++m) op.select({m});
  op.add_variant({.name = "b", .supports = [](const Key& key) {
                    if (key[0] == 2) throw std::runtime_error("cannot say");
                    return true;
                  }});
  for (int m = 1; m <= 3; ++m) {
    bool run = false;
    for (int i = 0; i < 20; ++i) run = run || op.select({m}).variant() == 1;
    EXPECT_EQ(run, m != 2) << m;
  }
}

}  // namespace
}  // namespace adaptive
