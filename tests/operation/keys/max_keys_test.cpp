// Tests that keys beyond the limit are served and counted, but not learned.
#include <gtest/gtest.h>

#include <optional>

#include "tests/base/effort.hpp"
#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

TEST(MaxKeys, RefusesServesAndCounts) {
  test::Log log;
  SelectorOptions options = test::options();
  options.log = log.callback();
  OperationSpec spec = test::operation({"a", "b"});
  spec.max_keys = 3;
  spec.variants[0].supports = [](const Key& key) { return key[0] < 100; };
  Selector selector(options);
  Operation& op = selector.define(spec);
  for (int m = 1; m <= 3; ++m) op.select({m});
  for (int i = 0; i < 5; ++i) {
    const Decision decision = op.select({4});
    EXPECT_EQ(decision.variant(), 0u);
    EXPECT_FALSE(decision.timed());
    op.record(decision, Latency(100.0));
    EXPECT_EQ(op.select({100}).variant(), 1u) << "the first that can run it";
  }
  EXPECT_EQ(op.counters().keys, 3u);
  EXPECT_EQ(op.counters().keys_refused, 10u);
  EXPECT_EQ(op.counters().results, 0u);
  EXPECT_EQ(log.count("max_keys"), 1u) << log.text();
}

TEST(MaxKeys, LeavesSitesAndPinsTheirDefault) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.max_keys = 0;
  spec.default_variant = [](const Key&) { return 1u; };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  const Site site = op.site({4});
  EXPECT_EQ(site.select().variant(), 1u);
  EXPECT_EQ(site.pin().variant(), 1u);
  EXPECT_FALSE(site.pin().stale());
  EXPECT_EQ(op.pin({4}).variant(), 1u);
  EXPECT_EQ(op.explain({4}).incumbent, "b");
}

TEST(MaxKeys, AreNotUsedUpByAsking) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.max_keys = 1;
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  for (int m = 0; m < 10; ++m) {
    op.explain({m});
    op.select_known({m});
  }
  EXPECT_EQ(op.counters().keys, 0u);
  EXPECT_TRUE(op.select({42}).timed());
}

/// Has keys beyond its only one; "c" can run even keys.
class Beyond : public testing::Test {
 protected:
  OperationSpec spec() {
    OperationSpec result = test::operation({"a", "b", "c"});
    result.max_keys = 1;
    result.default_variant = [](const Key&) { return 1u; };
    result.variants[2].supports = [this](const Key& key) {
      ++asked_;
      return key[0] % 2 == 0;
    };
    return result;
  }
  void expect_runs(std::uint32_t variant, const Key& key = {8}) {
    const Site site = op_.site(key);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(op_.select(key).variant(), variant);
      EXPECT_EQ(op_.pin(key).variant(), variant);
      EXPECT_FALSE(op_.pin(key).stale());
      EXPECT_EQ(site.select().variant(), variant);
      EXPECT_EQ(site.pin().variant(), variant);
    }
  }

  int asked_ = 0;
  Selector selector_{test::options()};
  Operation& op_ = selector_.define(spec());
  const Decision only_ = op_.select({1000});
};

TEST_F(Beyond, TheProgramIsAskedOnce) {
  op_.select({8});
  const int asked = asked_;
  for (int i = 0; i < 100; ++i) {
    op_.select({8});
    op_.pin({8});
    op_.site({8}).select();
    op_.select_known({8});
    op_.record(Key{8}, 1, Latency(100.0));
  }
  EXPECT_EQ(asked_, asked);
  EXPECT_EQ(op_.counters().keys, 1u);
  EXPECT_EQ(op_.counters().results, 0u);
}

TEST_F(Beyond, WhatTheProgramChangesHolds) {
  const Site site = op_.site({8});
  const Site odd = op_.site({9});
  Pin pin = op_.pin({8});
  const auto expect_site = [&](std::uint32_t variant) {
    EXPECT_EQ(site.select().variant(), variant);
    EXPECT_TRUE(pin.stale());
    pin = op_.pin({8});
    EXPECT_EQ(pin.variant(), variant);
    expect_runs(variant);
  };
  expect_runs(1);
  {
    const Forced forced = op_.force("c");
    expect_site(2);
    EXPECT_EQ(odd.select().variant(), 1u) << "it cannot run this key";
  }
  expect_site(1);
  op_.enable("b", false);
  expect_site(0);
  op_.enable("b", true);
  expect_site(1);
  selector_.set_mode(Mode::off);
  expect_site(1);
}

TEST_F(Beyond, ServesMoreKeysThanItKeeps) {
  constexpr int count = test::inputs(20'000);
  for (int round = 0; round < 2; ++round)
    for (int m = 1001; m <= 1000 + count; ++m) ASSERT_EQ(op_.select({m}).variant(), 1u) << m;
  EXPECT_EQ(op_.counters().keys_refused, 2u * count);
  const Forced forced = op_.force("c");
  for (int m = 1001; m <= 1000 + count; ++m) ASSERT_EQ(op_.select({m}).variant() == 2u, m % 2 == 0) << m;
}

TEST_F(Beyond, IsExplained) {
  op_.select({8});
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.incumbent, "b");
  EXPECT_NE(why.reason.find("b runs"), std::string::npos) << why.reason;
  EXPECT_NE(why.reason.find("max_keys"), std::string::npos) << why.reason;
}

class BeyondWithATable : public testing::Test {
 protected:
  // A table that says that "b" is the best variant of m=64.
  void SetUp() override {
    Selector tuner(test::options());
    Operation& op = tuner.define(test::operation({"a", "b"}));
    test::learn(op, {64}, {200, 100});
    tuner.save(folder_ / "table.json");
  }
  Operation& operation(OperationSpec spec) {
    SelectorOptions options = test::options();
    options.tables.places = {folder_ / "table.json"};
    selector_.emplace(options);
    return selector_->define(std::move(spec));
  }
  static OperationSpec spec() {
    OperationSpec result = test::operation({"a", "b"});
    result.max_keys = 0;
    return result;
  }
  const test::ScratchFolder folder_;
  std::optional<Selector> selector_;
};

TEST_F(BeyondWithATable, TheExactEntryIsServedAndNothingNearIt) {
  Operation& op = operation(spec());
  EXPECT_EQ(op.select({64}).variant(), 1u);
  EXPECT_EQ(op.select({65}).variant(), 0u);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(op.select_known({64}).has_value());
    EXPECT_EQ(op.select_known({64})->variant(), 1u);
    EXPECT_FALSE(op.select_known({65}).has_value());
  }
  EXPECT_EQ(op.explain({64}).match.kind, MatchKind::exact);
  EXPECT_EQ(op.explain({65}).match.kind, MatchKind::fallback);
  selector_->set_mode(Mode::off);
  EXPECT_EQ(op.select({64}).variant(), 0u);
}

TEST_F(BeyondWithATable, ADisabledVariantIsNotRun) {
  Operation& op = operation(spec());
  EXPECT_EQ(op.select({64}).variant(), 1u);
  op.enable("b", false);
  EXPECT_EQ(op.select({64}).variant(), 0u);
}

TEST_F(BeyondWithATable, AnotherNumericClassIsLeftAlone) {
  OperationSpec other = spec();
  other.variants[1].numeric_class = "tf32";
  EXPECT_EQ(operation(other).select({64}).variant(), 0u);
}

TEST_F(BeyondWithATable, ATableThatComesLaterIsTakenUp) {
  Selector selector(test::options());
  Operation& op = selector.define(spec());
  const Site site = op.site({64});
  EXPECT_EQ(site.select().variant(), 0u);
  selector.load(folder_ / "table.json");
  EXPECT_EQ(site.select().variant(), 1u);
}

}  // namespace
}  // namespace adaptive
