// What is believed of a key's candidates: expectations conditioned on its results.
#include <adaptive/belief.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include <adaptive/statistics.hpp>

namespace adaptive {
namespace {

constexpr double prior_variance = 0.04;

// `alike` is the correlation of the first two candidates; the others are independent.
KeyStatistics key_of(std::size_t candidates, double alike, double level_deviation = 1.0) {
  KeyStatistics key;
  key.candidates.resize(candidates);
  Expectations expected;
  expected.location.assign(candidates, 10.0F);
  expected.level_deviation = level_deviation;
  const bool correlated = candidates <= Expectations::correlated_max;
  for (std::size_t a = 0; a < candidates; ++a)
    for (std::size_t b = 0; b < candidates; ++b)
      if (correlated || a == b)
        expected.covariance.push_back(static_cast<float>(a == b           ? prior_variance
                                                         : a < 2 && b < 2 ? alike * prior_variance
                                                                          : 0.0));
  auto shared = std::make_shared<const Expectations>(std::move(expected));
  Belief room;
  room.prepare(candidates);
  key.expect(shared, room);
  return key;
}

void add(KeyStatistics& key, std::uint32_t candidate, double log_latency, int times = 1) {
  for (int i = 0; i < times; ++i) key.add(candidate, std::exp(log_latency));
}

TEST(Belief, TakesTheLevelFromTheFirstResult) {
  KeyStatistics key = key_of(3, 0.0);
  add(key, 2, 4.0);
  EXPECT_NEAR(key.belief().location(2), 4.0, 1e-4);
  EXPECT_NEAR(key.belief().location(0), 4.0, 1e-4);
  EXPECT_NEAR(key.belief().variance_between(0, 2), 2.0 * prior_variance, 0.002);
}

TEST(Belief, AResultTellsOfCandidatesThatAreAlike) {
  KeyStatistics key = key_of(3, 0.9);
  add(key, 2, 10.0, 50);
  add(key, 0, 10.3, 50);
  // Of the difference to the known third candidate: E = C_01 / C_00 with the third's own error in both.
  const double expected = 0.3 * (0.9 * prior_variance + prior_variance) / (2.0 * prior_variance);
  EXPECT_NEAR(key.belief().location(1), 10.0 + expected, 0.01);
  EXPECT_LT(key.belief().variance_between(1, 0), key_of(3, 0.9).belief().variance_between(2, 0));
}

TEST(Belief, FollowsManyResultsWhateverWasExpected) {
  KeyStatistics key = key_of(4, 0.5, 0.1);
  for (std::uint32_t i = 0; i < 4; ++i) add(key, i, 8.0 + i, 200);
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_NEAR(key.belief().location(i), 8.0 + i, 0.01) << i;
  EXPECT_EQ(key.leader(), 0U);
}

TEST(Belief, DoubtsASingleResultThatTheOthersContradict) {
  KeyStatistics key = key_of(6, 0.0);
  for (std::uint32_t i = 0; i < 5; ++i) add(key, i, 10.0 + 0.05 * i, 5);
  add(key, 5, 11.5);
  const double once = key.belief().location(5);
  EXPECT_LT(once, 11.3) << "it may have been an outlier";
  add(key, 5, 11.5, 3);
  EXPECT_GT(key.belief().location(5), 11.4) << "four results that agree are none";
}

// Four results agree with what was expected, or are off by many times the error that was expected.
TEST(Belief, IsLessSureOfTheOthersWhereResultsContradictTheExpectations) {
  const auto variance_of_unseen = [](double off) {
    KeyStatistics key = key_of(8, 0.0);
    for (std::uint32_t i = 0; i < 4; ++i) add(key, i, 10.0 + (i % 2 == 0 ? off : -off), 5);
    return key.belief().variance_between(6, 7);
  };
  EXPECT_NEAR(variance_of_unseen(0.1), 2.0 * prior_variance, 0.001) << "half a deviation is no contradiction";
  EXPECT_GT(variance_of_unseen(2.0), 2.0 * 10.0 * prior_variance);
}

TEST(Belief, IsNotShakenByASingleLateResult) {
  KeyStatistics key = key_of(8, 0.0);
  for (std::uint32_t i = 0; i < 4; ++i) add(key, i, 10.0, 5);
  add(key, 4, 13.0);
  EXPECT_LT(key.belief().variance_between(6, 7), 2.0 * 2.5 * prior_variance);
}

TEST(Belief, OfManyCandidatesIsOfEachAlone) {
  const std::size_t many = Expectations::correlated_max + 10;
  KeyStatistics key = key_of(many, 0.0);
  add(key, 3, 9.0, 50);
  add(key, 4, 9.4, 50);
  const Belief& belief = key.belief();
  ASSERT_TRUE(belief.fits(many));
  EXPECT_EQ(belief.measured(), 2U);
  EXPECT_NEAR(belief.location(3), 9.0, 0.01);
  EXPECT_NEAR(belief.location(10), 9.2, 0.02);
  EXPECT_GT(belief.variance_between(10, 3), prior_variance);
  EXPECT_EQ(key.leader(), 3U);
}

TEST(Comparison, OfFewResultsIsLessSureThanOfMany) {
  KeyStatistics key = key_of(2, 0.0);
  add(key, 0, 10.1, 2);
  add(key, 1, 10.0, 2);
  const double few = key.chance_faster(0, 1, 0.01);
  add(key, 0, 10.1, 60);
  add(key, 1, 10.0, 60);
  EXPECT_LT(key.chance_faster(0, 1, 0.01), few);
  EXPECT_LT(key.chance_faster(0, 1, 0.01), 1e-4);
  EXPECT_EQ(key.chance_faster(1, 0, 0.01), 1.0);
}

// Outliers in a row are no independent witnesses.
TEST(Comparison, DoubtsLateResultsWhereOutliersComeInBursts) {
  KeyStatistics alone = key_of(2, 0.0);
  KeyStatistics bursts = key_of(2, 0.0);
  for (KeyStatistics* key : {&alone, &bursts}) add(*key, 0, 10.0, 100);
  add(bursts, 0, 11.2, 10);
  add(bursts, 0, 10.0, 20);
  EXPECT_LT(alone.chance_late(1.0, 2.0), 1e-3);
  EXPECT_GT(bursts.chance_late(1.0, 2.0), 0.01);
}

}  // namespace
}  // namespace adaptive
