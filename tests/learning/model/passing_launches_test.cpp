// Launches of keys without a state, and their results.
#include "learning/model/passing_launches.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <mutex>

#include <adaptive/detail/key_table.hpp>

namespace adaptive::core {
namespace {

class Passing : public testing::Test {
 protected:
  Passing() { launches_.prepare(); }
  Counters counters() const {
    Counters sum;
    launches_.add_counters(sum);
    return sum;
  }
  std::uint32_t issue(std::int64_t m, PassingLaunches::Expected expected = {}) {
    return launches_.issue(Key{m}, 1, expected);
  }
  PassingLaunches launches_;
};

TEST_F(Passing, AResultCountsOnce) {
  const std::uint32_t first = issue(1, {.chosen = std::log(100.0)});
  const std::uint32_t second = issue(2, {.chosen = std::log(100.0)});
  EXPECT_TRUE(launches_.complete(second, 100.0));
  EXPECT_TRUE(launches_.complete(first, 110.0));
  EXPECT_FALSE(launches_.complete(first, 110.0));
  EXPECT_EQ(counters().results, 2U);
  EXPECT_EQ(counters().results_duplicate, 1U);
  const auto results = launches_.results();
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].key, (Key{2}));
  EXPECT_NEAR(results[1].location, std::log(110.0), 1e-12);
}

TEST_F(Passing, TheOldestLaunchIsGivenUpAndCounted) {
  const std::uint32_t first = issue(1);
  for (std::size_t i = 0; i < PassingLaunches::launches_max; ++i) issue(2);
  EXPECT_EQ(counters().results_lost, 1U);
  EXPECT_FALSE(launches_.complete(first, 100.0));
  EXPECT_EQ(counters().results_expired, 1U);
  EXPECT_EQ(counters().results, 0U);
}

TEST_F(Passing, TheLatestResultsAreKept) {
  const std::size_t count = PassingLaunches::results_max + 10;
  for (std::size_t i = 0; i < count; ++i) launches_.complete(issue(static_cast<std::int64_t>(i)), 1.0);
  const auto results = launches_.results();
  ASSERT_EQ(results.size(), PassingLaunches::results_max);
  EXPECT_EQ(results.front().key, (Key{10}));
  EXPECT_EQ(results.back().key, (Key{static_cast<std::int64_t>(count) - 1}));
}

TEST_F(Passing, ALaunchThatWasDisturbedTeachesLittle) {
  launches_.complete(issue(1, {.chosen = 5.0, .deviation = 0.1}), std::exp(9.0));
  EXPECT_EQ(launches_.results().front().location, 5.5);
}

TEST_F(Passing, LaunchesOutAreDroppedByAReset) {
  const std::uint32_t before = issue(1);
  launches_.forget(false);
  EXPECT_FALSE(launches_.complete(before, 1.0));
  EXPECT_EQ(counters().results_expired, 1U);
  const std::uint32_t kept = issue(1);
  launches_.forget(true);
  EXPECT_TRUE(launches_.complete(kept, 1.0));
}

TEST_F(Passing, KeysThatComeOftenAreToldApartFromAMillionThatComeOnce) {
  const std::uint64_t often = detail::hash(Key{7, 7});
  std::uint32_t times = 0;
  std::uint32_t most = 0;
  for (std::int64_t i = 0; i < 1'000'000; ++i) {
    most = std::max(most, launches_.see(detail::hash(Key{i, 1})).times);
    if (i % 1'000 == 0) times = launches_.see(often).times;
  }
  EXPECT_EQ(most, 1U);
  EXPECT_GT(times, 500U);
}

TEST_F(Passing, ALaterSightTellsWhatAnEarlierLaunchTook) {
  const Key key{5};
  EXPECT_FALSE(launches_.see(detail::hash(key)).measured);
  launches_.complete(launches_.issue(key, 3, {}), 250.0);
  const PassingLaunches::Seen seen = launches_.see(detail::hash(key));
  EXPECT_EQ(seen.times, 2U);
  EXPECT_TRUE(seen.measured);
  EXPECT_EQ(seen.variant, 3U);
  EXPECT_EQ(seen.ns, 250.0);
}

TEST_F(Passing, FewerLaunchesAreTimedOnceMuchIsKnown) {
  int timed = 0;
  for (int i = 0; i < 2'000; ++i) {
    timed += launches_.begin_call(0.01) ? 1 : 0;
    if (i < 1'024) launches_.complete(issue(i), 1.0);
  }
  EXPECT_GE(timed, 1'024) << "whatever timing costs";
  EXPECT_LE(timed, 1'045);
}

}  // namespace
}  // namespace adaptive::core
