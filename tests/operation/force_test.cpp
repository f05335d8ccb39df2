// Tests forcing a variant for a scope.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Forcing : public testing::Test {
 protected:
  void expect_runs(std::uint32_t variant, const Key& key = {8}) {
    for (int i = 0; i < 20; ++i) {
      const Decision decision = op_.select(key);
      ASSERT_EQ(decision.variant(), variant);
      ASSERT_FALSE(decision.timed());
    }
    EXPECT_EQ(op_.pin(key).variant(), variant) << "a graph captured meanwhile";
  }
  static OperationSpec spec() {
    OperationSpec result = test::operation({"a", "b", "c"});
    result.variants[2].supports = [](const Key& key) { return key[0] % 2 == 0; };
    result.max_keys = 4;
    return result;
  }
  Selector selector_{test::options_with<test::RoundRobin>()};
  Operation& op_ = selector_.define(spec());
};

TEST_F(Forcing, RunsOneVariantUntimedUntilItEnds) {
  op_.select({8});
  {
    const Forced forced = op_.force("b");
    expect_runs(1);
    expect_runs(1, {64});  // a key that was not seen before
  }
  EXPECT_TRUE(op_.select({8}).timed());
}

TEST_F(Forcing, Nests) {
  const Forced outer = op_.force("b");
  {
    const Forced inner = op_.force("c");
    expect_runs(2);
  }
  expect_runs(1);
}

TEST_F(Forcing, EndsInAnyOrder) {
  auto first = std::make_optional(op_.force("b"));
  auto second = std::make_optional(op_.force("c"));
  first.reset();
  expect_runs(2);
  second.reset();
  EXPECT_TRUE(op_.select({8}).timed());
}

TEST_F(Forcing, MovesWithItsObject) {
  std::optional<Forced> kept;
  {
    Forced forced = op_.force("b");
    kept.emplace(std::move(forced));
  }
  expect_runs(1);
  kept.reset();
  EXPECT_TRUE(op_.select({8}).timed());
}

TEST_F(Forcing, NeverRunsAVariantThatCannotRunTheKey) {
  op_.select({7});
  const Forced forced = op_.force("c");
  expect_runs(2, {8});
  for (int i = 0; i < 20; ++i) {
    EXPECT_NE(op_.select({7}).variant(), 2u);
    EXPECT_NE(op_.select({9}).variant(), 2u);
  }
}

TEST_F(Forcing, HoldsForKeysBeyondTheirNumber) {
  for (int m = 1; m <= 4; ++m) op_.select({m});
  const Forced forced = op_.force("c");
  EXPECT_EQ(op_.select({100}).variant(), 2u);
  EXPECT_EQ(op_.pin({100}).variant(), 2u);
  EXPECT_NE(op_.select({101}).variant(), 2u) << "it cannot run this key";
}

TEST_F(Forcing, HoldsInEveryMode) {
  const Forced forced = op_.force("b");
  for (const Mode mode : {Mode::seed, Mode::observe, Mode::online, Mode::frozen}) {
    selector_.set_mode(mode);
    expect_runs(1);
  }
}

TEST_F(Forcing, DoesNotChangeWhatIsLearned) {
  test::learn(op_, {8}, {200, 100, 300});
  ASSERT_EQ(test::incumbent(op_, {8}), 1u);
  const std::uint64_t epoch = selector_.epoch();
  {
    const Forced forced = op_.force("c");
    expect_runs(2);
  }
  EXPECT_EQ(test::incumbent(op_, {8}), 1u);
  EXPECT_EQ(selector_.epoch(), epoch);
}

TEST_F(Forcing, RefusesAnUnknownName) {
  EXPECT_THROW(static_cast<void>(op_.force("x")), Error);
}

// If the program names the candidates of a key, `supports` of the other variants has not been called.
TEST(ForcingByCandidates, NeverRunsAVariantThatCannotRunTheKey) {
  OperationSpec spec = test::operation({"a", "b", "c"});
  spec.candidates = [](const Key&) { return std::vector<std::uint32_t>{0, 1}; };
  spec.variants[2].supports = [](const Key& key) { return key[0] % 2 == 0; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  op.select({7});
  op.select({8});
  const Forced forced = op.force("c");
  EXPECT_NE(op.select({7}).variant(), 2u);
  EXPECT_EQ(op.select({8}).variant(), 2u);
  EXPECT_NE(op.select({9}).variant(), 2u);
  EXPECT_EQ(op.select({10}).variant(), 2u);
}

}  // namespace
}  // namespace adaptive
