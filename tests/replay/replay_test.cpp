#include "replay/replay.hpp"

#include <gtest/gtest.h>

#include <vector>

#include <adaptive/error.hpp>

namespace adaptive::replay {
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
  const ReplayResult result = replay(keys(), fixed_policy(200));
  ASSERT_EQ(result.keys.size(), 2U);
  EXPECT_DOUBLE_EQ(result.keys[0].summary.overhead.back().mean(), 1.0) << "the default is twice the best";
  EXPECT_DOUBLE_EQ(result.keys[1].summary.overhead.back().mean(), 0.0);
  EXPECT_DOUBLE_EQ(result.total.overhead.back().mean(), 0.5);
  EXPECT_DOUBLE_EQ(result.keys[0].first_look, 1.0);
  EXPECT_DOUBLE_EQ(result.first_look, 2.0);
  EXPECT_EQ(result.total.runs, 3U);
}

TEST(Replay, CountsWhatTimingCosts) {
  ReplayOptions options = fixed_policy(6'400);
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
  const std::vector<std::size_t> dense = dense_checkpoints(1'000);
  EXPECT_EQ(dense.front(), 1U);
  EXPECT_EQ(dense.back(), 1'000U);
  EXPECT_GT(dense.size(), 25U);
}

}  // namespace
}  // namespace adaptive::replay
