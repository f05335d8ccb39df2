// Looks that only the budget pays for.
#include "learning/key/revalidation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

namespace adaptive::inline v1::core {
namespace {

// Candidate 0 leads; the others are 1.5 and 2 times as slow.
KeyStatistics key() {
  KeyStatistics key;
  key.candidates.resize(3);
  for (int look = 0; look < 2; ++look) {
    key.add(0, 1000.0);
    key.add(1, 1500.0);
    key.add(2, 2000.0);
  }
  key.candidates[0].asked_at = 3;
  key.candidates[1].asked_at = 2;
  key.candidates[2].asked_at = 1;
  return key;
}

TEST(Revalidation, WithoutABudgetNeverComes) {
  KeyStatistics k = key();
  k.calls = 1e9;
  EXPECT_EQ(Revalidation().due(k, 0, 0.0), std::nullopt);
}

TEST(Revalidation, ComesOnceTheBudgetPaysForIt) {
  KeyStatistics k = key();
  Revalidation revalidation;
  k.calls = 99.0;  // a look at candidate 2 costs a latency of the leader
  EXPECT_EQ(revalidation.due(k, 0, 0.01), std::nullopt);
  k.calls = 101.0;
  EXPECT_EQ(revalidation.due(k, 0, 0.01), 2u) << "looked at longest ago";
}

TEST(Revalidation, IsOneAtATimeAndInTurn) {
  KeyStatistics k = key();
  Revalidation revalidation;
  k.calls = 1e6;
  revalidation.launched(k, 2, 0);
  k.candidates[2].pending = 1;
  EXPECT_EQ(revalidation.due(k, 0, 0.01), std::nullopt) << "its result is not there yet";
  k.candidates[2].pending = 0;
  k.candidates[2].asked_at = 4;
  revalidation.note_result(2, 2000.0);
  EXPECT_EQ(revalidation.due(k, 0, 0.01), 1u);
}

TEST(Revalidation, GoesOnWhereAResultIsLost) {
  KeyStatistics k = key();
  Revalidation revalidation;
  k.calls = 1e6;
  revalidation.launched(k, 2, 0);
  k.candidates[2].asked_at = 4;
  EXPECT_EQ(revalidation.due(k, 0, 0.01), 1u) << "nothing is pending, and nothing came";
}

TEST(Revalidation, CountsWhatALookReallyCost) {
  KeyStatistics k = key();
  Revalidation revalidation;
  revalidation.launched(k, 2, 0);
  EXPECT_NEAR(revalidation.spent_ns(), 1000.0, 1e-6) << "as expected";
  revalidation.note_result(1, 50'000.0);
  EXPECT_NEAR(revalidation.spent_ns(), 1000.0, 1e-6) << "another candidate's result";
  revalidation.note_result(2, 2'500.0);
  EXPECT_NEAR(revalidation.spent_ns(), 1500.0, 1e-6);
}

TEST(Revalidation, ExcusesOneOutlierOfACandidateButNoSecond) {
  KeyStatistics k = key();
  Revalidation revalidation;
  for (const double spent : {1000.0, 51'000.0, 101'000.0}) {
    revalidation.launched(k, 2, 0);
    revalidation.note_result(2, 51'000.0);
    EXPECT_NEAR(revalidation.spent_ns(), spent, 1e-6);
  }
  revalidation.launched(k, 2, 0);
  revalidation.note_result(2, 2000.0);
  revalidation.launched(k, 2, 0);
  revalidation.note_result(2, 51'000.0);
  EXPECT_NEAR(revalidation.spent_ns(), 103'000.0, 1e-6) << "alone again";
}

// Were it expected to cost what an outlier took, the look at one candidate would keep all others waiting.
TEST(Revalidation, ExpectsNoMoreOfASingleResultThanOfTheOthers) {
  KeyStatistics k = key();
  k.add(1, 1500.0);
  k.restart(2);
  k.add(2, 100'000.0);
  k.calls = 101.0;  // pays for 1 % of that
  EXPECT_EQ(Revalidation().due(k, 0, 0.01), 2u);
}

TEST(Revalidation, LeavesOutWhatCannotRunAndWhatNobodyHasMeasured) {
  KeyStatistics k = key();
  k.candidates.resize(4);
  k.calls = 1e6;
  k.candidates[2].available = false;
  k.candidates[1].pending = 1;
  EXPECT_EQ(Revalidation().due(k, 0, 0.01), std::nullopt);
}

}  // namespace
}  // namespace adaptive::core
