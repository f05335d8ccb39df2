#include "base/statistics/quantiles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <adaptive/random.hpp>

namespace adaptive::inline v1::core {
namespace {

TEST(Quantiles, OfNothingAreNone) {
  EXPECT_EQ(quantiles({}), RecentLatencies{});
}

TEST(Quantiles, OfOneLatencyAreThatLatency) {
  const std::vector<double> one = {42.0};
  EXPECT_EQ(quantiles(one), (RecentLatencies{1, 42.0, 42.0, 42.0}));
}

TEST(Quantiles, OfTwoHundredLatenciesInAnyOrder) {
  std::vector<double> latencies;
  for (int i = 1; i <= 200; ++i) latencies.push_back(i * 77 % 201);
  EXPECT_EQ(quantiles(latencies), (RecentLatencies{200, 100.0, 190.0, 198.0}));
}

TEST(Quantiles, OfEqualLatenciesAreEqual) {
  const std::vector<double> equal(50, 7.0);
  EXPECT_EQ(quantiles(equal), (RecentLatencies{50, 7.0, 7.0, 7.0}));
}

// By the definition in <adaptive/latency.hpp>.
double smallest_not_exceeded_by(double share, std::vector<double> latencies) {
  std::sort(latencies.begin(), latencies.end());
  for (std::size_t i = 0; i < latencies.size(); ++i)
    if (static_cast<double>(i + 1) >= share * static_cast<double>(latencies.size()) * (1.0 - 1e-12))
      return latencies[i];
  return latencies.back();
}

TEST(Quantiles, AreTheSmallestLatencyThatTheShareDoesNotExceed) {
  Random random(1);
  std::vector<double> latencies;
  for (int count = 1; count <= 300; ++count) {
    latencies.push_back(1.0 + std::floor(100.0 * random.uniform()));
    const RecentLatencies found = quantiles(latencies);
    EXPECT_EQ(found.count, latencies.size());
    EXPECT_EQ(found.median_ns, smallest_not_exceeded_by(0.5, latencies)) << count;
    EXPECT_EQ(found.p95_ns, smallest_not_exceeded_by(0.95, latencies)) << count;
    EXPECT_EQ(found.p99_ns, smallest_not_exceeded_by(0.99, latencies)) << count;
  }
}

}  // namespace
}  // namespace adaptive::core
