#include "policies/models/reopening.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace adaptive::inline v1::policies {
namespace {

/// The first candidate leads, until its latency grows by a half: so many results later the key is re-opened.
void reopen(KeyStatistics& key, Reopening& reopening) {
  for (int i = 0; i < 20; ++i) reopening.watch(key, key.add(0, 1000.0), 0);
  for (int i = 0; i < 20 && !key[1].remembered; ++i) reopening.watch(key, key.add(0, 1500.0), 0);
  ASSERT_TRUE(key[1].remembered);
}

// The alarm comes after the first slow results have moved the location a little.
constexpr double tolerance = 0.05;

KeyStatistics of(std::size_t candidates) {
  KeyStatistics key;
  key.candidates.resize(candidates);
  return key;
}

void launch(KeyStatistics& key, Reopening& reopening, std::uint32_t candidate, double ns) {
  reopening.watch(key, key.add(candidate, ns), 0);
}

TEST(Reopening, RemembersLooksThatAgree) {
  KeyStatistics key = of(2);
  for (int i = 0; i < 3; ++i) key.add(1, 2000.0);
  Reopening reopening;
  reopen(key, reopening);
  EXPECT_EQ(key.agreeing(1, key.starts_cold()), 3u);
}

TEST(Reopening, ConfirmsNoOutlier) {
  KeyStatistics key = of(2);
  key.add(1, 90'000.0);
  key.add(1, 30'000.0);
  Reopening reopening;
  reopen(key, reopening);
  EXPECT_EQ(key.agreeing(1, key.starts_cold()), 1u) << "neither of the two has ever been seen twice";
}

TEST(Reopening, ConfirmsNoSingleLookAfterAColdStart) {
  KeyStatistics key = of(3);
  key.add(0, 40'000.0);
  for (const double ns : {40'000.0, 2000.0, 2000.0}) key.add(1, ns);
  for (const double ns : {40'000.0, 2000.0}) key.add(2, ns);
  Reopening reopening;
  reopen(key, reopening);
  EXPECT_EQ(key.agreeing(2, key.starts_cold()), 1u);
}

TEST(Reopening, MovesAllAlongAndBackWithABurst) {
  KeyStatistics key = of(3);
  for (const std::uint32_t i : {1U, 1U, 2U, 2U}) key.add(i, 2000.0);
  Reopening reopening;
  reopen(key, reopening);
  launch(key, reopening, 1, 3000.0);
  EXPECT_NEAR(key[2].location, std::log(3000.0), tolerance);
  launch(key, reopening, 0, 1000.0);
  for (const std::uint32_t i : {1U, 2U}) EXPECT_NEAR(key[i].location, std::log(2000.0), tolerance) << i;
}

TEST(Reopening, AnOutlierDoesNotHideThatAllHaveMoved) {
  KeyStatistics key = of(4);
  for (const std::uint32_t i : {1U, 1U, 2U, 2U, 3U, 3U}) key.add(i, 2000.0);
  Reopening reopening;
  reopen(key, reopening);
  launch(key, reopening, 1, 90'000.0);
  launch(key, reopening, 2, 3000.0);
  EXPECT_NEAR(key[3].location, std::log(3000.0), tolerance);
}

TEST(Reopening, AVariantThatHasNotMovedShowsThatTheLeaderAloneHas) {
  KeyStatistics key = of(4);
  for (const std::uint32_t i : {1U, 1U, 2U, 2U, 3U, 3U}) key.add(i, 2000.0);
  Reopening reopening;
  reopen(key, reopening);
  launch(key, reopening, 1, 2000.0);
  launch(key, reopening, 2, 3000.0);
  EXPECT_NEAR(key[3].location, std::log(2000.0), tolerance);
}

// The first burst hit the only look at the third candidate, the second one moved all: that the next look at
// it is faster by as much says nothing of the second.
TEST(Reopening, AnEarlierBurstDoesNotEndTheNext) {
  KeyStatistics key = of(3);
  for (int i = 0; i < 2; ++i) key.add(1, 2000.0);
  key.add(2, 3000.0);
  Reopening reopening;
  reopen(key, reopening);
  launch(key, reopening, 1, 3000.0);
  ASSERT_NEAR(key[2].location, std::log(4500.0), tolerance);
  launch(key, reopening, 2, 3000.0);
  EXPECT_NEAR(key[0].location, std::log(1500.0), tolerance) << "the burst is not over";
  launch(key, reopening, 0, 1000.0);
  EXPECT_NEAR(key[1].location, std::log(2000.0), tolerance);
  EXPECT_NEAR(key[2].location, std::log(3000.0), tolerance) << "both of its own results say so";
}

// Each burst begins with an alarm and ends without anybody noticing, so that the next one finds all moved.
TEST(Reopening, ChangesDoNotAddUp) {
  KeyStatistics key = of(3);
  for (const std::uint32_t i : {1U, 1U, 2U, 2U}) key.add(i, 2000.0);
  Reopening reopening;
  for (int burst = 0; burst < 20; ++burst) {
    for (int i = 0; i < 20; ++i) launch(key, reopening, 0, 1000.0);
    for (int i = 0; i < 20; ++i) launch(key, reopening, 0, 2000.0);
    launch(key, reopening, 1, 4000.0);
    ASSERT_NEAR(key[2].own_location(), std::log(2000.0), 1e-9) << burst;
    ASSERT_LE(std::abs(key[2].moved), KeyStatistics::moved_max) << burst;
  }
}

TEST(Reopening, ACandidateThatRecoversIsAsBefore) {
  KeyStatistics key = of(2);
  for (int i = 0; i < 3; ++i) key.add(1, 1200.0);
  Reopening reopening;
  reopen(key, reopening);
  launch(key, reopening, 1, 1200.0);
  EXPECT_EQ(key.leader(), 1u);
  launch(key, reopening, 0, 1000.0);
  EXPECT_EQ(key.leader(), 0u);
  EXPECT_NEAR(key[0].location, std::log(1000.0), tolerance);
}

TEST(Reopening, ACandidateThatBecameSlowerIsVisitedAtGrowingIntervals) {
  KeyStatistics key = of(2);
  for (int i = 0; i < 3; ++i) key.add(1, 1200.0);
  Reopening reopening;
  reopen(key, reopening);
  launch(key, reopening, 1, 1200.0);
  double interval = reopening.visit_at(key, 0, 1) - key.calls;
  EXPECT_GT(interval, 0.0);
  for (int visit = 0; visit < 4; ++visit) {
    key.calls = reopening.visit_at(key, 0, 1);
    reopening.launched(key, 0);
    const double next = reopening.visit_at(key, 0, 1) - key.calls;
    EXPECT_GT(next, interval) << visit;
    interval = next;
  }
}

}  // namespace
}  // namespace adaptive::policies
