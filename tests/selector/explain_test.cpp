// Why a key runs what it runs.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

class Explaining : public testing::Test {
 protected:
  static OperationSpec spec() {
    OperationSpec result = test::operation({"a", "b", "huge"});
    result.variants[2].supports = [](const Key& key) { return key[0] >= 1024; };
    return result;
  }
  Selector selector_{test::options()};
  Operation& op_ = selector_.define(spec());
};

TEST_F(Explaining, AnUnseenKeyAsItWouldBegin) {
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.operation, "op");
  EXPECT_EQ(why.key, "m=8");
  EXPECT_EQ(why.match.kind, MatchKind::fallback);
  EXPECT_EQ(why.incumbent, "a");
  EXPECT_EQ(why.candidates.size(), 2u);
  EXPECT_EQ(why.unsupported, std::vector<std::string>{"huge"});
  EXPECT_NE(why.reason.find("began with the default"), std::string::npos) << why.reason;
  EXPECT_EQ(op_.counters().keys, 0u) << "explaining makes no state";
}

TEST_F(Explaining, AnUnseenKeyWithWhatIsBelieved) {
  test::learn(op_, {8}, {200, 100});
  const Explanation why = op_.explain({9});
  EXPECT_EQ(why.match.kind, MatchKind::nearest);
  EXPECT_NEAR(why.match.distance, 0.17, 0.01);
  EXPECT_EQ(why.incumbent, "b");
  EXPECT_NEAR(why.candidates.at(1).seed_ns, 100.0, 3.0);
  EXPECT_NE(why.reason.find("nearest known key, m=8 of this run, at distance 0.17"), std::string::npos)
      << why.reason;
}

class ExplainingLikeness : public testing::Test {
 protected:
  static Variant tile(int log2) {
    return {.name = "tile" + std::to_string(16 << log2), .parameters = {{"tile", 16 << log2}}};
  }
  static OperationSpec spec() {
    OperationSpec result{.name = "op", .dimensions = {{"m"}}};
    for (int log2 = 0; log2 < 12; ++log2) result.variants.push_back(tile(log2));
    return result;
  }
  /// Twice as long for every fourfold tile; of one variant more than there are at first.
  static std::vector<double> latencies() {
    std::vector<double> result;
    for (int log2 = 0; log2 <= 12; ++log2) result.push_back(100.0 * std::exp2(0.5 * log2));
    return result;
  }
  static bool is_explained(const Explanation::Candidate& c) {
    return c.verdict.find("not looked at: by variants like it, ") != std::string::npos &&
           c.verdict.find(" % slower than the leader") != std::string::npos;
  }
  Selector selector_{test::options()};
  Operation& op_ = selector_.define(spec());
};

TEST_F(ExplainingLikeness, SaysWhyAVariantHasNeverBeenLaunched) {
  test::launch(op_, {8}, latencies(), 300);
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.leader, "tile16");
  std::size_t never = 0;
  for (const Explanation::Candidate& c : why.candidates) {
    if (c.count > 0) continue;
    ++never;
    EXPECT_TRUE(is_explained(c)) << c.verdict;
  }
  EXPECT_GT(never, 3u);
}

TEST_F(ExplainingLikeness, AVariantThatComesLaterHasItsPlace) {
  test::launch(op_, {8}, latencies(), 300);
  op_.add_variant(tile(12));
  test::launch(op_, {8}, latencies(), 100);
  const Explanation why = op_.explain({8});
  ASSERT_EQ(why.candidates.size(), 13u);
  EXPECT_EQ(why.candidates.back().count, 0u);
  EXPECT_TRUE(is_explained(why.candidates.back())) << why.candidates.back().verdict;
}

TEST_F(Explaining, ALearnedKey) {
  test::learn(op_, {8}, {200, 100});
  test::launch(op_, {8}, {200, 100}, 1000);
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.incumbent, "b");
  EXPECT_EQ(why.leader, "b");
  EXPECT_TRUE(why.settled);
  EXPECT_NEAR(why.calls, 1000.0, 250.0);
  EXPECT_LT(why.explored_share, 0.1);
  const Explanation::Candidate& a = why.candidates.at(0);
  const Explanation::Candidate& b = why.candidates.at(1);
  EXPECT_NEAR(b.location_ns, 100.0, 2.0);
  EXPECT_LT(b.lower_ns, b.location_ns);
  EXPECT_GT(b.upper_ns, b.location_ns);
  EXPECT_NE(a.verdict.find("slower by"), std::string::npos) << a.verdict;
  EXPECT_NE(a.verdict.find("surely"), std::string::npos) << a.verdict;
  EXPECT_EQ(b.verdict, "the incumbent, confirmed");
  ASSERT_EQ(why.history.size(), 1u);
  EXPECT_EQ(why.history[0].kind, EventKind::promotion);
  EXPECT_EQ(why.history[0].from, "a");
  EXPECT_EQ(why.history[0].to, "b");
  EXPECT_NEAR(why.history[0].gain, 0.5, 0.05);
  EXPECT_EQ(why.history[0].epoch, 1u);
  EXPECT_NE(why.reason.find("b took the place of a"), std::string::npos) << why.reason;
}

TEST_F(Explaining, InWords) {
  test::learn(op_, {8}, {200'000, 100'000});
  const Explanation why = op_.explain({8});
  const std::string text = why.text();
  for (const char* part : {"op  m=8", "variant", "latency us", "confirmed", "huge cannot run this key",
                           "promotion of a -> b (+"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  std::ostringstream stream;
  stream << why;
  EXPECT_EQ(stream.str(), text);
}

TEST_F(Explaining, SaysWhatRunsWhereTheModeDecides) {
  test::learn(op_, {8}, {200, 100});
  selector_.set_mode(Mode::off);
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.mode, Mode::off);
  EXPECT_NE(why.reason.find("a runs"), std::string::npos) << why.reason;
  EXPECT_NE(why.reason.find("off"), std::string::npos) << why.reason;
}

TEST_F(Explaining, SaysWhatRunsWhereItIsForced) {
  test::learn(op_, {8}, {200, 100});
  const Forced forced = op_.force("a");
  const Explanation why = op_.explain({8});
  EXPECT_NE(why.reason.find("a runs"), std::string::npos) << why.reason;
  EXPECT_NE(why.reason.find("forced"), std::string::npos) << why.reason;
}

TEST_F(Explaining, SaysHowManyResultsAreMissing) {
  op_.record(op_.select({8}), Latency(100.0));
  EXPECT_EQ(op_.explain({8}).candidates.at(1).verdict, "needs 2 more results to be ruled in or out");
}

TEST_F(Explaining, KeepsTheLatestSixteenChanges) {
  // Two variants fail over to each other for ever.
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  test::learn(op, {8}, {300, 100, 200});
  for (int i = 0; i < 40; ++i) {
    op.enable("b", false);
    op.enable("b", true);
    test::learn(op, {8}, {300, 100, 200});
  }
  const Explanation why = op.explain({8});
  ASSERT_EQ(why.history.size(), 16u);
  for (std::size_t i = 1; i < why.history.size(); ++i) {
    EXPECT_LT(why.history[i - 1].epoch, why.history[i].epoch) << "oldest first";
    EXPECT_LE(why.history[i - 1].calls, why.history[i].calls);
    EXPECT_EQ(why.history[i - 1].to, why.history[i].from);
  }
  EXPECT_EQ(why.history.back().epoch, selector.epoch());
}

TEST_F(Explaining, SurvivesLongNames) {
  const std::string name(2000, 'x');
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", name}, std::string(600, 'o')));
  test::learn(op, {8}, {200, 100});
  EXPECT_NE(op.explain({8}).text().find(name), std::string::npos);
}

}  // namespace
}  // namespace adaptive
