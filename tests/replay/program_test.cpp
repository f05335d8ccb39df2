#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "replay/runner.hpp"
#include "replay/trace_operation.hpp"

namespace adaptive::replay {
namespace {

// Launches whose latencies are not what the truth says: what the selector believes can be made wrong.
class Deceiving final : public Environment {
 public:
  Deceiving(std::vector<double> means, std::vector<double> latencies) : latencies_(std::move(latencies)) {
    set_means(std::move(means));
  }
  void restart(std::uint64_t, std::uint64_t) override {}
  void advance() override {
    if (log_ != nullptr) log_->push_back(this);
  }
  double launch(std::uint32_t variant) override { return latencies_[variant]; }
  double latency_ns(std::uint32_t variant) const override { return latencies_[variant]; }
  void log_to(std::vector<const Environment*>& log) { log_ = &log; }

 private:
  std::vector<double> latencies_;
  std::vector<const Environment*>* log_ = nullptr;
};

Deceiving honest(const std::vector<double>& means) {
  return {means, means};
}

// Runs the second candidate from a given call on, and times every call.
class SwitchesAt : public Policy {
 public:
  explicit SwitchesAt(double calls) : calls_(calls) {}
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    return {key.calls >= calls_ ? 1U : 0U, true};
  }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }

 private:
  double calls_;
};

TEST(Run, WrongIsAPromotionToASlowerVariantThanItReplaced) {
  RunOptions options;
  options.policy = make_policy("explore-first");
  options.calls = 500;
  Deceiving second_best({100'000.0, 50'000.0, 45'000.0}, {100'000.0, 50'000.0, 200'000.0});
  const Outcome better = run(second_best, options, 1);
  EXPECT_EQ(better.promotions, 1U);
  EXPECT_EQ(better.wrong_promotions, 0U) << "faster than the default, though not the best";
  Deceiving slower({50'000.0, 100'000.0}, {100'000.0, 50'000.0});
  const Outcome worse = run(slower, options, 1);
  EXPECT_EQ(worse.promotions, 1U);
  EXPECT_EQ(worse.wrong_promotions, 1U);
}

TEST(Run, SeesTheEndApart) {
  Deceiving environment = honest({20'000.0, 10'000.0});
  RunOptions options;
  options.calls = 400;
  options.policy = [] { return std::make_unique<SwitchesAt>(250.0); };
  const Outcome outcome = run(environment, options, 1);
  EXPECT_EQ(outcome.last_half.calls, 200U);
  EXPECT_NEAR(outcome.last_half.mean(), 0.25, 0.02);
  EXPECT_EQ(outcome.last_quarter.calls, 100U);
  EXPECT_DOUBLE_EQ(outcome.last_quarter.mean(), 0.0);
  EXPECT_EQ(outcome.late_timed.calls, 40U);
  EXPECT_DOUBLE_EQ(outcome.late_timed.mean(), 1.0);
}

TEST(Run, TimesLessLateIfThePolicyRests) {
  Deceiving environment = honest({10'000.0, 20'000.0});
  RunOptions options;
  options.calls = 10'000;
  const Outcome outcome = run(environment, options, 1);
  EXPECT_LT(outcome.late_timed.mean(), outcome.timed_share);
}

TEST(Run, JudgesWhatTheSavedTableNames) {
  Deceiving environment = honest({20'000.0, 10'000.0});
  RunOptions options;
  options.judge_table = true;
  options.calls = 500;
  options.policy = make_policy("explore-first");
  const Outcome learned = run(environment, options, 1);
  EXPECT_DOUBLE_EQ(learned.kept_gap, 0.0);
  EXPECT_DOUBLE_EQ(learned.promoted, 1.0);
  options.policy = make_policy("fixed");
  const Outcome fixed = run(environment, options, 1);
  EXPECT_DOUBLE_EQ(fixed.kept_gap, 1.0);
  EXPECT_DOUBLE_EQ(fixed.promoted, 0.0);
  EXPECT_DOUBLE_EQ(fixed.confirmed, 0.0);
}

TEST(Run, CountsOnlyTheRunThatStartsFromTheOwnTable) {
  Deceiving environment = honest({20'000.0, 10'000.0});
  RunOptions options;
  options.calls = 100;
  options.checkpoints = {100};
  options.own_table_calls = 2'000;
  const Outcome outcome = run(environment, options, 1);
  EXPECT_EQ(outcome.overhead.size(), 1U);
  EXPECT_EQ(outcome.last_half.calls, 50U);
  EXPECT_LE(outcome.counters.results, 100U);
  EXPECT_EQ(run(environment, options, 1).overhead_end, outcome.overhead_end) << "it repeats";
}

TEST(Run, AnotherDrawHasTheSameTruth) {
  Synthetic environment({});
  environment.restart(3);
  std::vector<double> means;
  for (std::uint32_t i = 0; i < environment.size(); ++i) means.push_back(environment.mean(i));
  environment.advance();
  const double latency = environment.launch(0);
  environment.restart(3, 1);
  for (std::uint32_t i = 0; i < environment.size(); ++i) EXPECT_EQ(environment.mean(i), means[i]);
  environment.advance();
  EXPECT_NE(environment.launch(0), latency);
}

TEST(Program, KeysTakeTurnsInRandomOrder) {
  std::vector<Deceiving> environments(5, honest({10'000.0, 20'000.0}));
  std::vector<const Environment*> log;
  Program program;
  program.operations = {
      {.name = "gemm", .dimensions = {{"m"}}, .variants = {{.name = "v0"}, {.name = "v1"}}}};
  for (std::int64_t m = 0; m < 5; ++m) {
    Deceiving& environment = environments[static_cast<std::size_t>(m)];
    environment.log_to(log);
    program.keys.push_back({&environment, 0, {m + 1}, 0});
  }
  RunOptions options;
  options.calls = 30;
  options.checkpoints = {1, 30};
  const std::vector<Outcome> outcomes = run(program, options, 1);
  ASSERT_EQ(outcomes.size(), 5U);
  EXPECT_EQ(outcomes[0].counters.keys, 5U) << "all in one operation";
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.overhead.size(), 2U);
  ASSERT_EQ(log.size(), 150U);
  for (const Deceiving& environment : environments)
    EXPECT_EQ(std::count(log.begin(), log.end(), &environment), 30);
  int mixed = 0;
  for (auto five = log.begin(); five != log.end(); five += 5)
    mixed += std::set<const Environment*>(five, five + 5).size() < 5 ? 1 : 0;
  EXPECT_GT(mixed, 20) << "the calls do not come in rounds";
}

TEST(Program, DelayedResultsReachTheirKeys) {
  std::vector<Deceiving> environments = {honest({10'000.0, 20'000.0}), honest({20'000.0, 10'000.0})};
  Program program;
  program.operations = {
      {.name = "gemm", .dimensions = {{"m"}}, .variants = {{.name = "v0"}, {.name = "v1"}}}};
  program.keys = {{&environments[0], 0, {1}, 0}, {&environments[1], 0, {4'096}, 0}};
  RunOptions options;
  options.calls = 2'000;
  options.delivery.delay_min = 1;
  options.delivery.delay_max = 9;
  for (const Outcome& outcome : run(program, options, 1)) {
    EXPECT_LT(outcome.last_quarter.mean(), 0.01);
    EXPECT_DOUBLE_EQ(outcome.gap_leader, 0.0);
  }
}

TEST(TraceOperations, AreThoseOfTheTrace) {
  const std::vector<table::TraceKey> keys = {
      {"gemm", {{"m", 1}, {"type", "half"}}, {"a", "b"}, {{1.0}, {1.0}}},
      {"gemm", {{"m", 2}, {"type", "float"}}, {"b", "c"}, {{1.0}, {1.0}}},
      {"gemm", {{"m", 1}}, {"a"}, {{1.0}}},
      {"soft max", {{"rows", 7}}, {"a"}, {{1.0}}},
  };
  const TraceOperations operations = operations_of(keys);
  ASSERT_EQ(operations.specs.size(), 3U);
  EXPECT_EQ(operations.specs[0].name, "gemm");
  EXPECT_EQ(operations.specs[1].name, "gemm-2") << "other dimensions, hence another operation";
  EXPECT_EQ(operations.specs[2].name, "soft_max");
  ASSERT_EQ(operations.specs[0].variants.size(), 3U);
  const Key first = operations.places[0].key;
  const Key second = operations.places[1].key;
  EXPECT_TRUE(operations.specs[0].variants[0].supports(first));
  EXPECT_FALSE(operations.specs[0].variants[0].supports(second));
  EXPECT_EQ(operations.specs[0].variants[1].supports, nullptr) << "all keys have it";
  EXPECT_FALSE(operations.specs[0].variants[2].supports(first));
  EXPECT_EQ(operations.places[2].operation, 1U);
  Selector selector({.use_environment = false});
  for (const OperationSpec& spec : operations.specs) EXPECT_NO_THROW(selector.define(spec));
}

}  // namespace
}  // namespace adaptive::replay
