// From first looks to promotion, with every policy that learns.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Learning : public testing::TestWithParam<const char*> {
 protected:
  static SelectorOptions with_policy() {
    SelectorOptions options = test::options();
    options.policy = make_policy(GetParam());
    return options;
  }
  Selector selector_{with_policy()};
  Operation& op_ = selector_.define(test::operation({"a", "b", "c", "d"}));
};

TEST_P(Learning, RunsTheFastestAndPromotesNoOther) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Key key{std::int64_t{1} << (2 * seed)};
    std::vector<double> ns = {160, 140, 120, 130};
    std::swap(ns[2], ns[seed % 4]);
    test::launch(op_, key, ns, 2000, seed);
    const auto best = static_cast<std::uint32_t>(std::min_element(ns.begin(), ns.end()) - ns.begin());
    EXPECT_EQ(op_.explain(key).leader, std::string(1, static_cast<char>('a' + best))) << seed;
    // A promotion may take far more calls than these; a wrong one would be wrong at any time.
    EXPECT_TRUE(op_.explain(key).history.empty() || test::incumbent(op_, key) == best) << seed;
  }
}

TEST_P(Learning, IsNotFooledByOutliers) {
  Random random(5);
  for (int k = 0; k < 20; ++k) {
    const Key key{std::int64_t{1} << (2 * k)};
    for (int i = 0; i < 1500; ++i) {
      const Decision decision = op_.select(key);
      double ns = test::noisy(random, decision.variant() == 1 ? 100.0 : 130.0, 0.02);
      if (random.uniform() < 0.01) ns *= 2.0 + 48.0 * random.uniform();
      op_.record(decision, Latency(ns));
    }
    EXPECT_EQ(op_.explain(key).leader, "b") << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, Learning,
                         testing::Values("default", "gaussian", "explore-first", "thompson"));

TEST(LearningByHand, PromotesFromLatenciesWithoutDecisions) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  for (int i = 0; i < 30; ++i) {
    op.record(Key{8}, 0, Latency(200.0));
    op.record(Key{8}, 1, Latency(100.0));
  }
  EXPECT_EQ(test::incumbent(op, {8}), 1u);
  EXPECT_EQ(op.counters().promotions, 1u);
}

TEST(LearningWithDelay, ManagesWithResultsThatComeHundredsOfCallsLate) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  std::deque<std::pair<int, Decision>> out;
  Random random(1);
  for (int i = 0; i < 8000; ++i) {
    const Decision decision = op.select({8});
    if (decision.timed()) out.emplace_back(i + 300, decision);
    for (; !out.empty() && out.front().first <= i; out.pop_front()) {
      const Decision& late = out.front().second;
      op.record(late, Latency(test::noisy(random, 300.0 - 100.0 * late.variant(), 0.02)));
    }
  }
  EXPECT_EQ(op.explain({8}).leader, "c");
  EXPECT_EQ(op.counters().results_lost, 0u);
}

TEST(LearningWithoutResults, KeepsRunningTheDefaultForTheMostPart) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  int others = 0;
  for (int i = 0; i < 10'000; ++i)
    if (op.select({8}).variant() != 0) ++others;
  EXPECT_LT(others, 500) << "nothing is ever recorded: exploring is pure loss";
}

TEST(LearningCounters, AddUp) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  std::uint64_t timed = 0;
  for (int i = 0; i < 3000; ++i) {
    const Decision decision = op.select({1 << (i % 4)});
    if (!decision.timed()) continue;
    ++timed;
    op.record(decision, Latency(100.0 + decision.variant()));
  }
  const Counters counters = op.counters();
  EXPECT_EQ(counters.keys, 4u);
  EXPECT_EQ(counters.timed, timed);
  EXPECT_EQ(counters.results, timed);
  EXPECT_GE(counters.consulted, timed);
  EXPECT_LE(counters.explored, counters.consulted);
  EXPECT_EQ(counters.promotions + counters.demotions, selector.epoch());
}

}  // namespace
}  // namespace adaptive
