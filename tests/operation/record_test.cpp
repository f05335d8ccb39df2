// Tests results that come late, out of order, twice, never, or with impossible values.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <latch>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Recording : public testing::Test {
 protected:
  static SelectorOptions patient() {
    SelectorOptions options = test::options_with<test::Steady>();
    options.learning.result_patience = 64;
    return options;
  }
  Explanation::Candidate first() const { return op_.explain({8}).candidates.at(0); }

  Selector selector_{patient()};
  Operation& op_ = selector_.define(test::operation({"a", "b"}));
};

TEST_F(Recording, AddsToTheStatistics) {
  const Decision decision = op_.select({8});
  EXPECT_TRUE(decision.timed());
  EXPECT_EQ(first().pending, 1u);
  op_.record(decision, Latency(100.0));
  EXPECT_EQ(first().pending, 0u);
  EXPECT_EQ(first().count, 1u);
  EXPECT_DOUBLE_EQ(first().mean_ns, 100.0);
}

TEST_F(Recording, TakesAnyDuration) {
  op_.record(op_.select({8}), std::chrono::microseconds(2));
  EXPECT_DOUBLE_EQ(first().mean_ns, 2000.0);
}

TEST_F(Recording, IgnoresWhatIsNoLatency) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  std::uint64_t invalid = 0;
  for (const double ns : {std::numeric_limits<double>::quiet_NaN(), inf, -inf, 0.0, -0.0, -1.0}) {
    const Decision decision = op_.select({8});
    op_.record(decision, Latency(ns));
    op_.record(Key{8}, 0, Latency(ns));
    invalid += 2;
    EXPECT_EQ(op_.counters().results_invalid, invalid);
    EXPECT_EQ(first().pending, 0u) << "its result has come, such as it is";
  }
  EXPECT_EQ(op_.counters().results, 0u);
  EXPECT_EQ(first().count, 0u);
}

TEST_F(Recording, TakesTheSmallestAndTheLargestLatency) {
  op_.record(op_.select({8}), Latency(std::numeric_limits<double>::denorm_min()));
  op_.record(op_.select({8}), Latency(1e18));  // what tables can hold: 31 years
  op_.record(op_.select({8}), Latency(100.0));
  EXPECT_EQ(op_.counters().results, 3u);
  EXPECT_FALSE(op_.explain({8}).text().empty());
}

TEST_F(Recording, DropsASecondResultOfADecision) {
  const Decision decision = op_.select({8});
  op_.record(decision, Latency(100.0));
  op_.record(decision, Latency(900.0));
  EXPECT_EQ(op_.counters().results, 1u);
  EXPECT_EQ(op_.counters().results_duplicate, 1u);
  EXPECT_DOUBLE_EQ(first().mean_ns, 100.0);
}

TEST_F(Recording, TakesResultsOutOfOrder) {
  std::vector<Decision> out;
  for (int i = 0; i < 50; ++i) out.push_back(op_.select({8}));
  EXPECT_EQ(first().pending, 50u);
  std::reverse(out.begin(), out.end());
  for (const Decision& decision : out) op_.record(decision, Latency(100.0));
  EXPECT_EQ(op_.counters().results, 50u);
  EXPECT_EQ(first().pending, 0u);
}

TEST_F(Recording, GivesUpWhatDoesNotCome) {
  const Decision never = op_.select({8});
  for (int i = 0; i < 64; ++i) op_.record(op_.select({8}), Latency(100.0));
  EXPECT_EQ(op_.counters().results_lost, 1u);
  EXPECT_EQ(first().pending, 0u);
  op_.record(never, Latency(100.0));
  EXPECT_EQ(op_.counters().results_expired, 1u);
  EXPECT_EQ(op_.counters().results, 64u);
}

TEST_F(Recording, BoundsWhatIsOut) {
  for (int i = 0; i < 10'000; ++i) op_.select({8});
  EXPECT_EQ(first().pending, 64u);
  EXPECT_EQ(op_.counters().results_lost, 10'000u - 64u);
}

TEST_F(Recording, TakesALatencyOfAnUntimedCall) {
  selector_.set_mode(Mode::frozen);
  const Decision decision = op_.select({8});
  ASSERT_FALSE(decision.timed());
  op_.record(decision, Latency(100.0));
  EXPECT_EQ(op_.counters().results, 1u);
}

std::uint64_t accounted(const Counters& c) {
  return c.results + c.results_invalid + c.results_duplicate + c.results_expired + c.results_dropped;
}

TEST_F(Recording, CountsEveryLatencyOnce) {
  op_.record(op_.select({8}), Latency(100.0));
  std::uint64_t given = 1;
  EXPECT_EQ(accounted(op_.counters()), given);
  const auto count = [&](const char* what) { EXPECT_EQ(accounted(op_.counters()), ++given) << what; };
  op_.record(Key{8}, 7, Latency(100.0));
  count("a variant that there is not");
  op_.record(Decision(), Latency(100.0));
  count("a decision without a key");
  op_.record(Decision(), Latency(-1.0));
  count("no latency of such a decision");
  const Decision twice = op_.select({8});
  op_.record(twice, Latency(100.0));
  count("the first result");
  op_.record(twice, Latency(100.0));
  count("the second");
  const Decision before = op_.select({8});
  op_.reset();
  op_.record(before, Latency(100.0));
  count("a result of before a reset");
  EXPECT_EQ(op_.counters().results_expired, 1u);
}

TEST_F(Recording, CountsALatencyOfAKeyBeyondTheLimit) {
  OperationSpec spec = test::operation({"a", "b"}, "small");
  spec.max_keys = 1;
  Operation& op = selector_.define(spec);
  op.record(Key{1}, 0, Latency(100.0));
  op.record(Key{2}, 0, Latency(100.0));
  op.record(op.select({3}), Latency(100.0));
  EXPECT_EQ(op.counters().results, 1u);
  EXPECT_EQ(op.counters().results_dropped, 2u);
}

TEST_F(Recording, CountsALatencyOfAKeyThatCannotBeSetUp) {
  OperationSpec spec = test::operation({"a", "b"}, "broken");
  spec.candidates = [](const Key&) -> std::vector<std::uint32_t> { throw std::runtime_error("no idea"); };
  Operation& op = selector_.define(spec);
  op.record(Key{1}, 0, Latency(100.0));
  EXPECT_EQ(op.counters().results_dropped, 1u);
}

// One thread creates a key, which takes as long as the program's function, while another thread records for
// another new key.
TEST_F(Recording, CountsALatencyThatMeetsTheMakingOfAKey) {
  std::latch making(1);
  std::latch recorded(1);
  OperationSpec spec = test::operation({"a", "b"}, "slow");
  spec.candidates = [&](const Key& key) {
    if (key[0] == 1) {
      making.count_down();
      recorded.wait();
    }
    return std::vector<std::uint32_t>{0, 1};
  };
  Operation& op = selector_.define(spec);
  std::thread other([&] { op.select({1}); });
  making.wait();
  op.record(Key{2}, 0, Latency(100.0));
  recorded.count_down();
  other.join();
  EXPECT_EQ(accounted(op.counters()), 1u);
}

TEST_F(Recording, CountsAFailureOfAVariantThatTheKeyDoesNotHave) {
  Operation& op = selector_.define([] {
    OperationSpec spec = test::operation({"a", "b"}, "one");
    spec.candidates = [](const Key&) { return std::vector<std::uint32_t>{0}; };
    return spec;
  }());
  op.select({8});
  const Forced forced = op.force("b");
  op.fail(op.select({8}));
  EXPECT_EQ(op.counters().failures, 1u);
}

TEST_F(Recording, GivesUpAfterExactlyThePatience) {
  for (const std::uint32_t patience : {1u, 3u, 17u, 600u}) {
    SelectorOptions options = patient();
    options.learning.result_patience = patience;
    Selector selector(options);
    Operation& op = selector.define(test::operation({"a", "b"}));
    const Decision first = op.select({8});
    for (std::uint32_t i = 1; i < patience; ++i) op.select({8});
    EXPECT_EQ(op.counters().results_lost, 0u) << patience;
    op.select({8});
    EXPECT_EQ(op.counters().results_lost, 1u) << patience;
    op.record(first, Latency(100.0));
    EXPECT_EQ(op.counters().results_expired, 1u) << patience;
  }
}

TEST_F(Recording, TakesALatencyWithoutADecision) {
  op_.record(Key{8}, 1, Latency(70.0));
  EXPECT_EQ(op_.explain({8}).candidates.at(1).count, 1u);
  EXPECT_EQ(op_.counters().keys, 1u);
}

TEST_F(Recording, OfAVariantThatDoesNotExistIsIgnored) {
  op_.record(Key{8}, 7, Latency(70.0));
  op_.record(Key{8}, ~0u, Latency(70.0));
  EXPECT_EQ(op_.counters().results, 0u);
}

TEST_F(Recording, OfADecisionThatWasNeverMadeIsIgnored) {
  op_.record(Decision(), Latency(70.0));
  op_.fail(Decision());
  EXPECT_EQ(op_.counters().results, 0u);
  EXPECT_EQ(op_.counters().failures, 1u);
}

}  // namespace
}  // namespace adaptive
