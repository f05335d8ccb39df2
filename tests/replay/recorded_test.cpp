#include "replay/environments/recorded.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <vector>

#include "replay/runner.hpp"

namespace adaptive::inline v1::replay {
namespace {

// The slow one has a round more, which the other lacks.
table::TraceKey two_variants() {
  return {"gemm", {{"m", 1}}, {"slow", "fast"}, {{20'000, 22'000, 24'000, 99'000}, {10'000, 11'000, 12'000}}};
}

TEST(Recorded, DrawsRoundsOfTheRecording) {
  const table::TraceKey key = two_variants();
  Recorded environment(key, Recorded::Order::random);
  EXPECT_EQ(environment.best(), 1U);
  EXPECT_DOUBLE_EQ(environment.gap(0), 1.0);
  environment.restart(1);
  std::set<double> seen;
  for (int call = 0; call < 100; ++call) {
    environment.advance();
    EXPECT_DOUBLE_EQ(environment.launch(0), 2.0 * environment.launch(1)) << "of one round";
    seen.insert(environment.latency_ns(1));
  }
  EXPECT_EQ(seen, (std::set<double>{10'000, 11'000, 12'000}));
}

TEST(Recorded, TrimmedTruthLeavesTheSlowestTenthOut) {
  // One burst met a sample of the variant that is the faster one otherwise.
  table::TraceKey key{"gemm", {{"m", 1}}, {"steady", "burst"}, {{}, {}}};
  for (int i = 0; i < 10; ++i) {
    key.latency_ns[0].push_back(11'000);
    key.latency_ns[1].push_back(i == 3 ? 100'000 : 10'000);
  }
  const Recorded plain(key, Recorded::Order::random);
  EXPECT_EQ(plain.best(), 0U);
  EXPECT_DOUBLE_EQ(plain.mean(1), 19'000.0);
  Recorded trimmed(key, Recorded::Order::recorded, Recorded::Truth::trimmed);
  EXPECT_EQ(trimmed.best(), 1U);
  EXPECT_DOUBLE_EQ(trimmed.mean(1), 10'000.0);
  trimmed.restart(1);
  std::set<double> seen;
  for (int call = 0; call < 10; ++call) {
    trimmed.advance();
    seen.insert(trimmed.launch(1));
  }
  EXPECT_TRUE(seen.contains(100'000.0)) << "launches are drawn from all samples";
  key.latency_ns[0].resize(9);
  EXPECT_GT(Recorded(key, Recorded::Order::random, Recorded::Truth::trimmed).mean(1), 19'000.0)
      << "a tenth of nine is none";
}

TEST(Recorded, WalksTheRounds) {
  const table::TraceKey key = two_variants();
  Recorded environment(key, Recorded::Order::recorded);
  environment.restart(1);
  environment.advance();
  for (int call = 0; call < 10; ++call) {
    const double before = environment.latency_ns(1);
    environment.advance();
    EXPECT_EQ(environment.latency_ns(1), before == 12'000 ? 10'000 : before + 1'000);
  }
}

TEST(Recorded, RealTracesAreRead) {
  const char* const data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  const std::filesystem::path folder = std::filesystem::path(data) / "latency-traces";
  const std::vector<table::TraceKey> dense = table::read_trace(folder / "h200-dense-gemm.jsonl").keys;
  const std::vector<table::TraceKey> grouped = table::read_trace(folder / "h200-grouped-gemm.jsonl").keys;
  EXPECT_EQ(dense.size(), 100U);
  EXPECT_EQ(grouped.size(), 28U);
  double overhead = 0.0;
  for (const table::TraceKey& key : dense) {
    EXPECT_EQ(key.variants.size(), 8U);
    Recorded environment(key, Recorded::Order::random);
    RunOptions options;
    options.calls = 1'000;
    overhead += run(environment, options, 1).overhead_end / static_cast<double>(dense.size());
  }
  EXPECT_LT(overhead, 0.005);
}

}  // namespace
}  // namespace adaptive::replay
