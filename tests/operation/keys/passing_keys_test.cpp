// Keys that come once, and keys beyond `max_keys`, are decided by the model of all keys and teach it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

#include "tests/learning/noise.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

/// Three tiles: the larger, the slower for few rows and the faster for many. Every call has another size.
class PassingKeysTest : public testing::Test {
 protected:
  static OperationSpec spec() {
    OperationSpec result = test::operation({"tile16", "tile64", "tile256"});
    for (const std::int64_t tile : {16, 64, 256})
      result.variants[static_cast<std::size_t>(tile == 16   ? 0
                                               : tile == 64 ? 1
                                                            : 2)]
          .parameters = {{"tile", tile}};
    return result;
  }
  static SelectorOptions options() {
    SelectorOptions result = test::options();
    result.policy = make_policy("gaussian");
    return result;
  }
  Operation& define(OperationSpec specification = spec()) {
    return selector_.define(std::move(specification));
  }
  static double mean_ns(const Key& key, std::uint32_t variant) {
    const double rows = static_cast<double>(key[0]);
    constexpr double fixed[] = {1'000.0, 3'000.0, 8'000.0};
    constexpr double each[] = {40.0, 8.0, 2.0};
    return fixed[variant] + rows * each[variant];
  }
  static double least_ns(const Key& key) {
    return std::min({mean_ns(key, 0), mean_ns(key, 1), mean_ns(key, 2)});
  }
  Key another_key() { return {next_++}; }
  /// The overhead of so many calls, each of another key.
  double call(Operation& op, int calls) {
    double lost = 0.0;
    for (int i = 0; i < calls; ++i) {
      const Key key = another_key();
      const Decision decision = op.select(key);
      selector_.learn();
      launched_.insert(decision.variant());
      lost += mean_ns(key, decision.variant()) / least_ns(key) - 1.0;
      if (decision.timed())
        op.record(decision, Latency(test::noisy(random_, mean_ns(key, decision.variant()), 0.03)));
      selector_.learn();
    }
    return lost / calls;
  }

  Selector selector_{options()};
  Random random_{5};
  std::int64_t next_ = 20;
  std::set<std::uint32_t> launched_;
};

TEST_F(PassingKeysTest, KeysThatComeOnceGetNoStateAndAreDecidedByTheModel) {
  Operation& op = define();
  call(op, 400);
  EXPECT_EQ(op.counters().keys, 256U);
  EXPECT_EQ(op.counters().keys_passing, 144U);
  EXPECT_EQ(op.counters().results, op.counters().timed);
  EXPECT_EQ(op.counters().results_dropped, 0U);
  call(op, 600);
  EXPECT_LT(call(op, 500), 0.03);
  EXPECT_EQ(op.counters().keys, 256U);
}

TEST_F(PassingKeysTest, AKeyThatComesAgainGetsAState) {
  Operation& op = define();
  call(op, 300);
  const Key key{5'000};
  const Decision first = op.select(key);
  ASSERT_TRUE(first.timed());
  op.record(first, Latency(mean_ns(key, first.variant())));
  for (int i = 0; i < 30; ++i) static_cast<void>(op.select(key));
  EXPECT_EQ(op.counters().keys, 256U);
  static_cast<void>(op.select(key));
  EXPECT_EQ(op.counters().keys, 257U);
  const Explanation why = op.explain(key);
  EXPECT_EQ(why.candidates[first.variant()].count, 1U) << "what its first launch took is known";
}

TEST_F(PassingKeysTest, KeysBeyondMaxKeysAreDecidedByTheModel) {
  OperationSpec few = spec();
  few.max_keys = 16;
  Operation& op = define(std::move(few));
  call(op, 1'000);
  EXPECT_LT(call(op, 500), 0.03);
  EXPECT_EQ(op.counters().keys, 16U);
  EXPECT_EQ(op.counters().keys_refused, 0U);
  const Key key{7'000};
  for (int i = 0; i < 100; ++i) op.record(op.select(key), Latency(mean_ns(key, 2)));
  EXPECT_EQ(op.counters().keys, 16U) << "however often they come";
}

TEST_F(PassingKeysTest, NoVariantRunsThatDoesNotSupportTheKey) {
  OperationSpec some = spec();
  some.variants[2].supports = [](const Key& key) { return key[0] % 2 == 0; };
  Operation& op = define(std::move(some));
  call(op, 600);
  launched_.clear();
  for (int i = 0; i < 200; ++i) {
    next_ += next_ % 2 == 0 ? 1 : 0;
    call(op, 1);
  }
  EXPECT_FALSE(launched_.contains(2));
  EXPECT_GT(op.counters().keys_passing, 500U);
}

TEST_F(PassingKeysTest, AVariantThatFailedOnceIsSetAsideForKeysWithoutAState) {
  Operation& op = define();
  call(op, 1'000);
  next_ = 3'000;  // where the largest tile is the fastest by far
  Decision decision = op.select(another_key());
  while (decision.variant() != 2) decision = op.select(another_key());
  op.fail(decision);
  EXPECT_EQ(op.counters().failures, 1U);
  launched_.clear();
  call(op, 200);
  EXPECT_FALSE(launched_.contains(2));
  op.reset();
  selector_.learn();
  call(op, 300);
  EXPECT_TRUE(launched_.contains(2));
}

TEST_F(PassingKeysTest, WhatTheProgramForcesOrDisablesHolds) {
  Operation& op = define();
  call(op, 1'000);
  next_ = 3'000;
  {
    const Forced forced = op.force("tile16");
    EXPECT_EQ(op.select(another_key()).variant(), 0U);
  }
  op.enable("tile256", false);
  launched_.clear();
  call(op, 200);
  EXPECT_FALSE(launched_.contains(2));
}

TEST_F(PassingKeysTest, WhatIsPreparedOnceGetsAState) {
  Operation& op = define();
  call(op, 300);
  const Pin pin = op.pin(Key{9'000});
  EXPECT_EQ(op.counters().keys, 257U);
  EXPECT_FALSE(pin.stale());
}

TEST_F(PassingKeysTest, AnEstimateOfTheProgramIsUsed) {
  OperationSpec estimated = spec();
  estimated.cost = [](const Key& key, const Variant& variant) {
    const std::int64_t tile = std::get<std::int64_t>(variant.parameters.at("tile").value());
    if (key[0] % 100 == 0) throw std::runtime_error("not now");
    return 1e-9 * mean_ns(key, tile == 16 ? 0 : tile == 64 ? 1 : 2);
  };
  Operation& op = define(std::move(estimated));
  call(op, 300);
  next_ = 3'001;  // far from what it has seen
  EXPECT_LT(call(op, 90), 0.02);
  EXPECT_GT(op.counters().keys_passing, 100U);
}

// Latencies that follow no model: the default is the best on average, and the program must not pay for that.
TEST_F(PassingKeysTest, AProgramIsNotSlowerThanItsDefaultWhereNothingCanBePredicted) {
  Operation& op = define();
  double lost = 0.0;
  double window = 0.0;
  double worst = 0.0;
  constexpr int calls = 6'000;
  for (int i = 0; i < calls; ++i) {
    const Key key = another_key();
    const Decision decision = op.select(key);
    Random of_pair(static_cast<std::uint64_t>(key[0]) * 8 + decision.variant());
    const double penalty = decision.variant() == 0 ? 0.0 : 0.1 + 0.4 * of_pair.uniform();
    if (decision.timed()) op.record(decision, Latency(test::noisy(random_, 5'000.0 * (1.0 + penalty), 0.03)));
    selector_.learn();
    if (i < 1'000) continue;
    lost += penalty;
    window += penalty;
    if (i % 1'000 != 999) continue;
    worst = std::max(worst, window / 1'000.0);
    window = 0.0;
  }
  EXPECT_LT(lost / (calls - 1'000), 0.005);
  EXPECT_LT(worst, 0.01);
}

}  // namespace
}  // namespace adaptive
