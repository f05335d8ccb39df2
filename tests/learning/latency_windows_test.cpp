#include "learning/key/latency_windows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace adaptive::inline v1::core {
namespace {

std::vector<double> sorted(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values;
}

TEST(LatencyWindows, KeepTheLatenciesOfEachCandidate) {
  LatencyWindows windows(2);
  windows.add(0, 10.0);
  windows.add(1, 20.5);
  windows.add(0, 30.0);
  EXPECT_EQ(sorted(windows.latencies_ns(0)), (std::vector<double>{10.0, 30.0}));
  EXPECT_EQ(windows.latencies_ns(1), (std::vector<double>{20.5}));
  EXPECT_TRUE(windows.latencies_ns(2).empty());
}

TEST(LatencyWindows, RollOverTheLatest) {
  LatencyWindows windows(1);
  for (std::size_t i = 0; i < LatencyWindows::length + 5; ++i) windows.add(0, static_cast<double>(i));
  const std::vector<double> kept = sorted(windows.latencies_ns(0));
  ASSERT_EQ(kept.size(), LatencyWindows::length);
  EXPECT_EQ(kept.front(), 5.0);
  EXPECT_EQ(kept.back(), static_cast<double>(LatencyWindows::length + 4));
}

TEST(LatencyWindows, RoundToAPicosecond) {
  LatencyWindows windows(1);
  windows.add(0, 42377.25);
  windows.add(0, 0.1);
  EXPECT_EQ(sorted(windows.latencies_ns(0)), (std::vector<double>{0.1, 42377.25}));
}

// A search over many candidates looks at each a few times and then stays with a few.
TEST(LatencyWindows, AreOfTheCandidatesThatHadResultsLast) {
  LatencyWindows windows(100);
  windows.add(3, 1.0);
  for (std::uint32_t candidate = 10; candidate < 10 + LatencyWindows::windows_max - 1; ++candidate)
    windows.add(candidate, 2.0);
  windows.add(3, 1.0);
  windows.add(90, 3.0);
  EXPECT_EQ(windows.latencies_ns(3).size(), 2U);
  EXPECT_TRUE(windows.latencies_ns(10).empty()) << "its window was the oldest";
  EXPECT_EQ(windows.latencies_ns(11).size(), 1U);
  EXPECT_EQ(windows.latencies_ns(90), (std::vector<double>{3.0}));
}

TEST(LatencyWindows, GrowWithTheCandidates) {
  LatencyWindows windows(1);
  windows.add(0, 1.0);
  windows.make_room(2);
  windows.add(1, 2.0);
  EXPECT_EQ(windows.latencies_ns(0).size(), 1U);
  EXPECT_EQ(windows.latencies_ns(1).size(), 1U);
}

TEST(LatencyWindows, ForgetAllWhenCleared) {
  LatencyWindows windows(2);
  windows.add(0, 1.0);
  windows.clear();
  EXPECT_TRUE(windows.latencies_ns(0).empty());
  windows.add(1, 2.0);
  EXPECT_EQ(windows.latencies_ns(1), (std::vector<double>{2.0}));
}

TEST(LatencyWindows, OfNoCandidatesKeepNothing) {
  LatencyWindows windows(0);
  windows.add(0, 1.0);
  EXPECT_TRUE(windows.latencies_ns(0).empty());
}

}  // namespace
}  // namespace adaptive::core
