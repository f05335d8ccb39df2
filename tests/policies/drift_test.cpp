#include "policies/models/drift.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace adaptive::inline v1::policies {
namespace {

/// One candidate at 1,000 ns with 1 % noise of two alternating values.
class DriftDetectorTest : public testing::Test {
 protected:
  DriftDetectorTest() {
    key_.candidates.resize(1);
    for (int i = 0; i < 200; ++i) launch(i % 2 == 0 ? 990.0 : 1010.0);
  }

  bool launch(double ns) { return detector_.add(key_, key_.add(0, ns)); }
  /// Launches until the alarm, if it comes within so many.
  int launches_until_alarm(double ns, int launches_max) {
    for (int i = 1; i <= launches_max; ++i)
      if (launch(ns)) return i;
    return 0;
  }

  KeyStatistics key_;
  DriftDetector detector_;
};

TEST_F(DriftDetectorTest, FindsAStepAfterFiveResults) {
  EXPECT_EQ(launches_until_alarm(1500.0, 10), 5);
  EXPECT_NEAR(detector_.level(), std::log(1500.0), 1e-9);
}

TEST_F(DriftDetectorTest, LevelIsOfTheResultsAfterTheStep) {
  // The clock has been a little low for a while: the sum has risen, but not by a change.
  for (int i = 0; i < 12; ++i) ASSERT_FALSE(launch(1014.0));
  ASSERT_NE(launches_until_alarm(3000.0, 10), 0);
  EXPECT_NEAR(detector_.level(), std::log(3000.0), 1e-9);
}

TEST_F(DriftDetectorTest, LevelIsOfTheSideThatAlarms) {
  for (int i = 0; i < 12; ++i) ASSERT_FALSE(launch(986.0));
  ASSERT_NE(launches_until_alarm(3000.0, 10), 0);
  EXPECT_NEAR(detector_.level(), std::log(3000.0), 1e-9);
}

TEST_F(DriftDetectorTest, AnOutlierAfterTheStepDoesNotMakeTheLevel) {
  for (const double ns : {1500.0, 1500.0, 1500.0, 30'000.0}) ASSERT_FALSE(launch(ns));
  ASSERT_TRUE(launch(1500.0));
  EXPECT_NEAR(detector_.level(), std::log(1500.0), 1e-9);
}

}  // namespace
}  // namespace adaptive::policies
