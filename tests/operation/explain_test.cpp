// Tests the explanation of the variant that a key runs.
#include <gtest/gtest.h>

#include <algorithm>
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

TEST_F(Explaining, SaysHowAnUnseenKeyWouldBegin) {
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.operation, "op");
  EXPECT_EQ(why.key, "m=8");
  EXPECT_EQ(why.match.kind, MatchKind::fallback);
  EXPECT_EQ(why.incumbent, "a");
  EXPECT_EQ(why.candidates.size(), 2u);
  EXPECT_EQ(why.unsupported, std::vector<std::string>{"huge"});
  EXPECT_NE(why.reason.find("started from the default"), std::string::npos) << why.reason;
  EXPECT_EQ(op_.counters().keys, 0u) << "explaining makes no state";
}

TEST_F(Explaining, SaysWhatIsBelievedOfAnUnseenKey) {
  test::learn(op_, {8}, {200, 100});
  const Explanation why = op_.explain({9});
  EXPECT_EQ(why.match.kind, MatchKind::nearest);
  EXPECT_NEAR(why.match.distance, 0.17, 0.01);
  EXPECT_EQ(why.incumbent, "b");
  EXPECT_NEAR(why.candidates.at(1).seed_ns, 100.0, 3.0);
  EXPECT_NE(why.reason.find("nearest known key, m=8 of this run, at distance 0.17"), std::string::npos)
      << why.reason;
}

TEST_F(Explaining, QuantilesAreOfTheLatestResults) {
  EXPECT_EQ(op_.select({8}).variant(), 0u);
  for (int i = 1; i <= 200; ++i) op_.record({8}, 1, Latency(100.0 + i));
  const Explanation why = op_.explain({8});
  EXPECT_EQ(why.candidates.at(0).recent, RecentLatencies{});
  // The latest 128 of 101 to 300 are 173 to 300.
  EXPECT_EQ(why.candidates.at(1).recent, (RecentLatencies{128, 236.0, 294.0, 299.0}));
  EXPECT_NE(why.text().find("0.236 0.294 0.299"), std::string::npos) << why.text();
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
  /// A tile four times as large takes twice as long. There is one variant more than at first.
  static std::vector<double> latencies() {
    std::vector<double> result;
    for (int log2 = 0; log2 <= 12; ++log2) result.push_back(100.0 * std::exp2(0.5 * log2));
    return result;
  }
  static bool is_explained(const Explanation::Candidate& c) {
    return c.verdict.find("not measured; a model predicts that it is ") != std::string::npos &&
           c.verdict.find(" % slower than the leader") != std::string::npos;
  }
  static SelectorOptions without_thread() {
    SelectorOptions options = test::options();
    options.background = false;
    return options;
  }
  /// Runs every fit before the next launch.
  void launch(int calls) {
    Random random(1);
    for (int i = 0; i < calls; ++i) {
      const Decision decision = op_.select({8});
      if (decision.timed())
        op_.record(decision, Latency(test::noisy(random, latencies().at(decision.variant()), 0.01)));
      selector_.learn();
    }
  }
  Selector selector_{without_thread()};
  Operation& op_ = selector_.define(spec());
};

TEST_F(ExplainingLikeness, SaysWhyAVariantHasNeverBeenLaunched) {
  launch(300);
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
  launch(300);
  op_.add_variant(tile(12));
  selector_.learn();
  launch(100);
  const Explanation why = op_.explain({8});
  ASSERT_EQ(why.candidates.size(), 13u);
  EXPECT_EQ(why.candidates.back().count, 0u);
  EXPECT_TRUE(is_explained(why.candidates.back())) << why.candidates.back().verdict;
}

TEST_F(Explaining, HasTheFiguresOfALearnedKey) {
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
  EXPECT_NE(why.reason.find("b replaced a"), std::string::npos) << why.reason;
}

TEST_F(Explaining, IsDoneInWords) {
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
  EXPECT_NE(why.reason.find("it is forced; otherwise b would run"), std::string::npos) << why.reason;
}

TEST_F(Explaining, SaysHowManyResultsAreMissing) {
  op_.record(op_.select({8}), Latency(100.0));
  EXPECT_EQ(op_.explain({8}).candidates.at(1).verdict, "needs 2 more results before it can be compared");
  op_.record({8}, 1, Latency(200.0));
  EXPECT_EQ(op_.explain({8}).candidates.at(1).verdict, "needs 1 more result before it can be compared");
}

/// A situation: what a program does with a key, and what `explain` must then say.
struct Situation {
  const char* name;
  Mode mode;
  void (*prepare)(Operation& op);
  const char* runs;  // beginning of the sentence
  const char* says;  // somewhere in it
};

void nothing(Operation&) {}
void learned(Operation& op) {
  test::learn(op, {8}, {200, 100, 150});
}
// Two results of the fastest variant and one of each other: too few to confirm anything.
void leading(Operation& op) {
  for (const std::uint32_t v : {0U, 1U, 1U, 2U}) op.record({8}, v, Latency(v == 1 ? 100.0 : 200.0));
}
void disabled(Operation& op) {
  learned(op);
  op.enable("b", false);
}
void default_failed(Operation& op) {
  Decision decision = op.select({8});
  while (decision.variant() != 0) decision = op.select({8});
  op.fail(decision);
}
void failed(Operation& op) {
  learned(op);
  op.fail(op.select({8}));
}
void all_failed(Operation& op) {
  for (int i = 0; i < 3; ++i) op.fail(op.select({8}));
}

class ExplainingWhatRuns : public testing::TestWithParam<Situation> {};

TEST_P(ExplainingWhatRuns, UsesWordsThatAreTrue) {
  const Situation& situation = GetParam();
  SelectorOptions options = test::options();
  options.mode = Mode::online;
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  (void)op.select({8});
  situation.prepare(op);
  selector.set_mode(situation.mode);
  const std::string reason = op.explain({8}).reason;
  EXPECT_EQ(reason.rfind(situation.runs, 0), 0u) << reason;
  EXPECT_NE(reason.find(situation.says), std::string::npos) << reason;

  const std::vector<double> ns{200, 100, 150};
  std::vector<double> ran(ns.size(), 0.0);
  Random random(3);
  for (int call = 0; call < 3000; ++call) {
    const Explanation why = call % 100 == 0 ? op.explain({8}) : Explanation();
    const Decision decision = op.select({8});
    ran[decision.variant()] += 1.0;
    if (!decision.timed()) {
      if (call % 100 == 0) {
        EXPECT_EQ(why.running, op.variant(decision.variant()).name) << why;
      }
      continue;
    }
    op.record(decision, Latency(test::noisy(random, ns[decision.variant()], 0.01)));
  }
  const Explanation after = op.explain({8});
  const auto most = std::max_element(ran.begin(), ran.end()) - ran.begin();
  EXPECT_EQ(after.running, op.variant(static_cast<std::uint32_t>(most)).name) << after;
  EXPECT_EQ(after.reason.rfind(after.running + " runs", 0), 0u) << after.reason;
  EXPECT_EQ(after.pinned, op.variant(op.pin({8}).variant()).name) << after;
  const bool counted = situation.mode == Mode::online || situation.mode == Mode::observe;
  for (std::size_t v = 0; v < ns.size(); ++v)
    EXPECT_NEAR(after.candidates[v].calls, counted ? ran[v] : 0.0, 400.0) << v << "\n" << after;
}

INSTANTIATE_TEST_SUITE_P(
    Situations, ExplainingWhatRuns,
    testing::Values(
        Situation{"Off", Mode::off, learned, "a runs: mode off runs the default;", ""},
        Situation{"OffAndFailed", Mode::off, default_failed,
                  "b runs: mode off runs the default, and a is set aside;", ""},
        Situation{"OffAndAllFailed", Mode::off, all_failed,
                  "a runs: mode off runs the default; it is set aside", "no other variant can run"},
        Situation{"Seed", Mode::seed, learned, "a runs: mode seed runs the starting point;", ""},
        Situation{"SeedAndFailed", Mode::seed, default_failed,
                  "b runs: mode seed runs the starting point, and a is set aside", ""},
        Situation{"ObserveNothing", Mode::observe, nothing, "a runs: mode observe runs the starting point;",
                  ""},
        Situation{"Observe", Mode::observe, learned, "a runs: mode observe runs the starting point;",
                  "mode online would run b"},
        Situation{"OnlineNothing", Mode::online, nothing, "a runs: it is the incumbent, not yet confirmed",
                  "nothing near it was known"},
        Situation{"OnlineLeading", Mode::online, leading,
                  "b runs (leading, not yet confirmed); the incumbent is a", "nothing near it was known"},
        Situation{"OnlineConfirmed", Mode::online, learned, "b runs: it is the incumbent, confirmed",
                  "b replaced a as the incumbent"},
        Situation{"OnlineDisabled", Mode::online, disabled, "c runs: it is the incumbent",
                  "c replaced b as the incumbent"},
        Situation{"OnlineFailed", Mode::online, failed, "c runs: it is the incumbent",
                  "c replaced b as the incumbent"},
        Situation{"AllFailed", Mode::online, all_failed, "a runs", "no other variant can run"},
        Situation{"Frozen", Mode::frozen, learned, "b runs: mode frozen runs the incumbent", ""},
        Situation{"FrozenNothing", Mode::frozen, nothing, "a runs: mode frozen runs the incumbent", ""}),
    [](const testing::TestParamInfo<Situation>& situation) { return std::string(situation.param.name); });

TEST_F(Explaining, SaysThatAKeyBeyondTheLimitIsNotLearned) {
  OperationSpec limited = test::operation({"a", "b"}, "limited");
  limited.max_keys = 1;
  Operation& op = selector_.define(limited);
  test::learn(op, {8}, {200, 100});
  const Explanation why = op.explain({9});
  EXPECT_EQ(why.running, op.variant(op.select({9}).variant()).name);
  EXPECT_NE(why.reason.find("max_keys is reached, so nothing is learned"), std::string::npos) << why;
  EXPECT_EQ(why.candidates.at(1).verdict, "not learned: max_keys is reached");
}

TEST_F(Explaining, KeepsTheLatestSixteenChanges) {
  // The variant that runs alternates, because "b" is disabled and enabled again and again.
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
  const std::string name(1024, 'x');
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", name}, std::string(600, 'o')));
  test::learn(op, {8}, {200, 100});
  EXPECT_NE(op.explain({8}).text().find(name), std::string::npos);
}

}  // namespace
}  // namespace adaptive
