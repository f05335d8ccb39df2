// Tests disabling a variant for every key, and enabling it again.
#include <gtest/gtest.h>

#include <set>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Enabling : public testing::Test {
 protected:
  std::set<std::uint32_t> runs(const Key& key, int calls = 300) {
    std::set<std::uint32_t> seen;
    for (int i = 0; i < calls; ++i) {
      const Decision decision = op_.select(key);
      seen.insert(decision.variant());
      op_.record(decision, Latency(100.0 + decision.variant()));
    }
    return seen;
  }
  Selector selector_{test::options_with<test::RoundRobin>()};
  Operation& op_ = selector_.define(test::operation({"a", "b", "c"}));
};

TEST_F(Enabling, TakesAVariantOutOfUseAndBack) {
  EXPECT_EQ(runs({8}).size(), 3u);
  op_.enable("b", false);
  EXPECT_FALSE(runs({8}).contains(1));
  EXPECT_EQ(op_.explain({8}).candidates.at(1).verdict, "disabled");
  op_.enable("b", true);
  EXPECT_TRUE(runs({8}).contains(1));
}

TEST_F(Enabling, HoldsForKeysThatComeLater) {
  op_.enable("b", false);
  EXPECT_FALSE(runs({64}).contains(1));
  op_.enable("b", true);
  EXPECT_TRUE(runs({64}).contains(1));
}

TEST_F(Enabling, ReplacesADisabledIncumbent) {
  test::learn(op_, {8}, {200, 100, 300});
  ASSERT_EQ(test::incumbent(op_, {8}), 1u);
  const Pin pin = op_.pin({8});
  op_.enable("b", false);
  EXPECT_TRUE(pin.stale());
  EXPECT_EQ(test::incumbent(op_, {8}), 0u);
  EXPECT_FALSE(runs({8}).contains(1));
}

TEST_F(Enabling, HoldsInEveryMode) {
  test::learn(op_, {8}, {200, 100, 300});
  op_.enable("b", false);
  for (const Mode mode : {Mode::off, Mode::seed, Mode::observe, Mode::frozen}) {
    selector_.set_mode(mode);
    EXPECT_FALSE(runs({8}, 20).contains(1));
  }
}

// A new key starts from its neighbour, whose best variant has been disabled since.
TEST_F(Enabling, HoldsForANewKeyThatWouldBeginWithIt) {
  test::learn(op_, {8}, {200, 100, 300});
  ASSERT_EQ(op_.explain({9}).incumbent, "b");
  op_.enable("b", false);
  for (const Mode mode : {Mode::seed, Mode::observe, Mode::frozen, Mode::online}) {
    selector_.set_mode(mode);
    const Key key{9 + static_cast<int>(mode)};
    EXPECT_FALSE(runs(key, 20).contains(1));
    EXPECT_NE(op_.pin(key).variant(), 1u);
  }
}

TEST_F(Enabling, HoldsAfterAReset) {
  test::learn(op_, {8}, {200, 100, 300});
  op_.select({9});  // begins with what its neighbour has learned
  op_.enable("b", false);
  op_.reset();
  EXPECT_FALSE(runs({9}).contains(1));
}

TEST_F(Enabling, RefusesTheDefaultAndUnknownNames) {
  EXPECT_THROW(op_.enable("a", false), Error);
  EXPECT_NO_THROW(op_.enable("a", true));
  try {
    op_.enable("x", false);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), "op");
    EXPECT_NE(std::string(error.what()).find("known: a, b, c"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace adaptive
