#include "replay/replay.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>
#include <adaptive/random.hpp>
#include "base/statistics/normal.hpp"

namespace adaptive::inline v1::replay {
namespace {

// Without noise, so that every figure can be worked out by hand.
std::vector<table::TraceKey> keys() {
  return {{"gemm", {{"m", 1}}, {"slow", "fast"}, {{2'000, 2'000}, {1'000, 1'000}}},
          {"gemm", {{"m", 2}}, {"fast", "slow"}, {{1'000, 1'000}, {4'000, 4'000}}}};
}

ReplayOptions fixed_policy(std::size_t calls) {
  ReplayOptions options;
  options.run.policy = make_policy("fixed");
  options.run.calls = calls;
  options.run.checkpoints = checkpoints(calls);
  options.runs = 3;
  return options;
}

TEST(Replay, AveragesTheKeys) {
  ReplayOptions options = fixed_policy(200);
  options.alone = true;
  const ReplayResult result = replay(keys(), options);
  ASSERT_EQ(result.keys.size(), 2U);
  EXPECT_DOUBLE_EQ(result.keys[0].summary.overhead.back().mean(), 1.0) << "the default is twice the best";
  EXPECT_DOUBLE_EQ(result.keys[1].summary.overhead.back().mean(), 0.0);
  EXPECT_DOUBLE_EQ(result.total.overhead.back().mean(), 0.5);
  EXPECT_DOUBLE_EQ(result.keys[0].first_look, 1.0);
  EXPECT_DOUBLE_EQ(result.first_look, 2.0);
  EXPECT_EQ(result.total.runs, 3U);
}

TEST(Replay, KeysShareAnOperationUnlessAlone) {
  std::vector<table::TraceKey> two = keys();
  std::swap(two[1].variants[0], two[1].variants[1]);
  std::swap(two[1].latency_ns[0], two[1].latency_ns[1]);
  ReplayOptions options = fixed_policy(10);
  EXPECT_DOUBLE_EQ(replay(two, options).total.overhead.back().mean(), 2.0) << "both default to slow";
  std::swap(two[1].variants[0], two[1].variants[1]);
  std::swap(two[1].latency_ns[0], two[1].latency_ns[1]);
  EXPECT_DOUBLE_EQ(replay(two, options).total.overhead.back().mean(), 2.0)
      << "an operation has one default, the first variant of its first key";
  options.alone = true;
  EXPECT_DOUBLE_EQ(replay(two, options).total.overhead.back().mean(), 0.5);
}

TEST(Replay, TakesKeysThatComeOnce) {
  std::vector<table::TraceKey> many;
  for (std::int64_t m = 1; m <= 120; ++m)
    many.push_back({"gemm", {{"m", m}}, {"slow", "fast"}, {{2'000}, {1'000}}});
  const ReplayResult result = replay(many, fixed_policy(1));
  EXPECT_NEAR(result.total.overhead.back().mean(), 1.0, 1e-9);
  EXPECT_NEAR(result.total.last_quarter.mean(), 1.0, 1e-9);
  std::size_t late = 0;
  for (const KeyResult& key : result.keys) late += key.summary.last_quarter.count();
  EXPECT_EQ(late, 3U * 30U) << "a quarter of the keys in each of three runs";
}

TEST(Replay, TellsTheWorstKeyThatIsKept) {
  ReplayOptions options = fixed_policy(50);
  options.alone = true;
  options.run.judge_table = true;
  const ReplayResult result = replay(keys(), options);
  EXPECT_DOUBLE_EQ(result.total.kept_gap.mean(), 0.5);
  EXPECT_DOUBLE_EQ(result.kept_worst, 1.0);
  EXPECT_DOUBLE_EQ(result.total.promoted.mean(), 0.5) << "one key's default is the best from the start";
}

// Compares two candidates for as long as the first is the incumbent.
class AlternatesAtFirst : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    if (key.incumbent != 0) return {key.incumbent, true};
    return {next_ = 1 - next_, true};
  }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }

 private:
  std::uint32_t next_ = 1;
};

TEST(Replay, StartsFromTheOwnTable) {
  std::vector<table::TraceKey> two = {keys()[0], keys()[0]};
  two[1].key["m"] = 4'096;
  ReplayOptions options = fixed_policy(100);
  options.run.policy = policy_of<AlternatesAtFirst>();
  for (const bool alone : {false, true}) {
    options.alone = alone;
    options.run.own_table_calls = 0;
    EXPECT_GT(replay(two, options).total.overhead.back().mean(), 0.01) << alone;
    options.run.own_table_calls = 1'000;
    EXPECT_DOUBLE_EQ(replay(two, options).total.overhead.back().mean(), 0.0) << alone;
  }
}

TEST(Replay, CountsWhatTimingCosts) {
  ReplayOptions options = fixed_policy(6'400);
  options.alone = true;
  const double free = replay(keys(), options).total.overhead.back().mean();
  options.run.learning.timing_cost = Latency(1'000);
  const ReplayResult result = replay(keys(), options);
  EXPECT_NEAR(result.total.overhead.back().mean() - free, result.total.timed.mean(), 1e-9)
      << "a timed call costs as much as the best variant here";
  EXPECT_GT(result.total.timed.mean(), 0.0);
}

TEST(Replay, RepeatsItself) {
  ReplayOptions options = fixed_policy(500);
  options.run.policy = {};
  const ReplayResult a = replay(keys(), options);
  const ReplayResult b = replay(keys(), options);
  EXPECT_EQ(a.total.overhead.back().mean(), b.total.overhead.back().mean());
  EXPECT_LT(a.total.overhead.back().mean(), 0.05);
}

TEST(Replay, OfNothingIsAnError) {
  EXPECT_THROW(replay(std::vector<table::TraceKey>{}, {}), Error);
}

TEST(Checkpoints, EndWithTheLastCall) {
  EXPECT_EQ(checkpoints(100), (std::vector<std::size_t>{100}));
  EXPECT_EQ(checkpoints(5'000), (std::vector<std::size_t>{100, 1'000, 5'000}));
  EXPECT_EQ(checkpoints(10'000'000),
            (std::vector<std::size_t>{100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000}));
  const std::vector<std::size_t> dense = dense_checkpoints(1'000);
  EXPECT_EQ(dense.front(), 1U);
  EXPECT_EQ(dense.back(), 1'000U);
  EXPECT_GT(dense.size(), 25U);
}

/// Twelve shapes of eight tiles; which is the best goes with the size.
std::vector<table::TraceKey> tiled_keys() {
  std::vector<table::TraceKey> keys;
  Random random(3);
  for (const std::int64_t n : {1'024, 4'096})
    for (std::int64_t m = 16; m <= 4'096; m *= 2) {
      table::TraceKey key{"gemm", {{"m", m}, {"n", n}}, {}, {}};
      for (const double tile : {16.0, 32.0, 64.0, 96.0, 128.0, 192.0, 256.0, 512.0}) {
        const double off = std::log2(tile) - 4.0 - 0.4 * std::log2(static_cast<double>(m));
        const double ns = std::pow(static_cast<double>(n * m), 0.8) * (1.0 + 0.1 * off * off);
        key.variants.push_back("tile" + std::to_string(static_cast<int>(tile)));
        key.parameters.push_back({{"tile_m", static_cast<std::int64_t>(tile)}});
        std::vector<double>& latencies = key.latency_ns.emplace_back();
        for (int i = 0; i < 20; ++i) latencies.push_back(ns * std::exp(0.01 * core::normal(random)));
      }
      keys.push_back(std::move(key));
    }
  return keys;
}

ReplayOptions default_policy(std::size_t calls) {
  ReplayOptions options = fixed_policy(calls);
  options.run.policy = {};
  options.runs = 5;
  return options;
}

TEST(Replay, PredictsEachKeyFromTheOthers) {
  ReplayOptions options = default_policy(300);
  options.alone = true;
  const double alone = replay(tiled_keys(), options).total.overhead.back().mean();
  options.predict = true;
  const ReplayResult result = replay(tiled_keys(), options);
  EXPECT_LT(result.total.overhead.back().mean(), 0.5 * alone);
  ASSERT_TRUE(result.prediction);
  EXPECT_EQ(result.prediction->predicted, tiled_keys().size());
  const double coverage =
      static_cast<double>(result.prediction->covered) / static_cast<double>(result.prediction->variants);
  EXPECT_GT(coverage, 0.8);
}

TEST(Replay, LeavesOutWhatSharesValues) {
  ReplayOptions options = default_policy(10);
  options.predict = true;
  options.leave_out = {"n"};
  const ReplayResult result = replay(tiled_keys(), options);
  EXPECT_EQ(result.prediction->predicted, tiled_keys().size()) << "from those of the other n";
  options.leave_out = {"m"};
  EXPECT_EQ(replay(tiled_keys(), options).prediction->predicted, tiled_keys().size());
  options.leave_out = {"k"};
  EXPECT_THROW(replay(tiled_keys(), options), Error);
}

// The bound that docs/learning.md states: predictions that are wrong by 50 %, alike for all keys, cost at
// most five times what is lost without any at first, and three times after 1,000 calls.
TEST(Replay, WrongPredictionsHaveABound) {
  ReplayOptions options = default_policy(2'000);
  options.alone = true;
  const ReplayResult none = replay(tiled_keys(), options);
  options.predict = true;
  options.prediction_error = 0.5;
  const ReplayResult wrong = replay(tiled_keys(), options);
  for (std::size_t i = 0; i < options.run.checkpoints.size(); ++i)
    EXPECT_LT(wrong.total.overhead[i].mean(), 5.0 * none.total.overhead[i].mean())
        << options.run.checkpoints[i];
}

}  // namespace
}  // namespace adaptive::replay
