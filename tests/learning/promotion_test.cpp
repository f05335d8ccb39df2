// When a candidate is established, case by case.
#include "learning/key/promotion.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <optional>

namespace adaptive::inline v1::core {
namespace {

const LearningOptions options;

KeyStatistics of(std::size_t candidates, std::uint32_t incumbent = 0) {
  KeyStatistics key;
  key.candidates.resize(candidates);
  key.incumbent = incumbent;
  return key;
}

void add(KeyStatistics& key, std::uint32_t candidate, double ns, int times) {
  for (int i = 0; i < times; ++i) key.add(candidate, ns);
}

TEST(Established, NothingIsWithoutResults) {
  EXPECT_EQ(established(of(3), options), std::nullopt);
}

TEST(Established, TheOnlyCandidateIsOnceItHasItsSamples) {
  KeyStatistics key = of(1);
  add(key, 0, 100.0, 1);
  EXPECT_EQ(established(key, options), std::nullopt);
  add(key, 0, 100.0, 1);
  EXPECT_EQ(established(key, options), 0u);
}

TEST(Established, AClearlyFasterChallengerIs) {
  KeyStatistics key = of(2);
  add(key, 0, 200.0, 20);
  add(key, 1, 100.0, 20);
  EXPECT_EQ(established(key, options), 1u);
}

TEST(Established, AClearlyFasterIncumbentIs) {
  KeyStatistics key = of(2);
  add(key, 0, 100.0, 20);
  add(key, 1, 200.0, 20);
  EXPECT_EQ(established(key, options), 0u);
}

TEST(Established, NobodyIsWhileARivalHasTooFewSamples) {
  LearningOptions strict;
  strict.samples_min = 4;
  KeyStatistics key = of(3);
  add(key, 0, 100.0, 50);
  add(key, 1, 900.0, 50);
  for (int n = 0; n < 4; ++n) {
    EXPECT_EQ(established(key, strict), std::nullopt) << n;
    add(key, 2, 900.0, 1);
  }
  EXPECT_EQ(established(key, strict), 0u);
}

TEST(Established, NobodyIsWhileARivalsFewResultsDoNotAgree) {
  KeyStatistics key = of(2);
  add(key, 0, 100.0, 50);
  add(key, 1, 900.0, 1);
  add(key, 1, 4000.0, 1);
  EXPECT_EQ(established(key, options), std::nullopt) << "both may have been outliers";
  add(key, 1, 900.0, 1);
  EXPECT_EQ(established(key, options), 0u);
}

TEST(Established, OneSampleNeverPromotesHoweverFast) {
  KeyStatistics key = of(2);
  add(key, 0, 1000.0, 100);
  add(key, 1, 1.0, 1);
  EXPECT_EQ(established(key, options), std::nullopt);
}

TEST(Established, TheIncumbentStaysWithinTheIndifferenceZone) {
  KeyStatistics key = of(2);
  add(key, 0, 100.0, 5000);
  add(key, 1, 99.5, 5000);  // surely faster, by half a percent
  ASSERT_LT(key.radius(0, options.error) + key.radius(1, options.error), 0.005);
  EXPECT_EQ(key.leader(), 1u);
  EXPECT_EQ(established(key, options), 0u);
}

TEST(Established, BeyondTheIndifferenceZoneTheIncumbentGoes) {
  KeyStatistics key = of(2);
  add(key, 0, 100.0, 5000);
  add(key, 1, 98.0, 5000);
  EXPECT_EQ(established(key, options), 1u);
}

TEST(Established, OfThreeEqualOnesTheIncumbentIs) {
  KeyStatistics key = of(3, 2);
  for (std::uint32_t i = 0; i < 3; ++i) add(key, i, 100.0, 1000);
  EXPECT_EQ(established(key, options), 2u);
}

TEST(Established, TheUnavailableDoNotStandAgainstAnybody) {
  KeyStatistics key = of(3);
  add(key, 0, 100.0, 20);
  add(key, 1, 200.0, 20);
  EXPECT_EQ(established(key, options), std::nullopt);
  key.candidates[2].available = false;
  EXPECT_EQ(established(key, options), 0u);
  key.candidates[0].available = false;
  EXPECT_EQ(established(key, options), 1u);
}

// Four candidates of which a table says 100, 200, 300 and 400 ns; the incumbent is 0.
KeyStatistics with_priors(double deviation = 0.02) {
  KeyStatistics key = of(4);
  for (std::uint32_t i = 0; i < 4; ++i) {
    key.candidates[i].prior = std::log(100.0 * (i + 1));
    key.candidates[i].prior_deviation = deviation;
    key.candidates[i].prior_count = 10;
  }
  return key;
}

TEST(EstablishedByPriors, OthersAreRuledOutOnceOneOfThemHasBorneThePriorsOut) {
  KeyStatistics key = with_priors();
  add(key, 0, 100.0, 20);
  EXPECT_EQ(established(key, options), std::nullopt) << "nobody has";
  add(key, 1, 200.0, 1);
  EXPECT_EQ(established(key, options), std::nullopt) << "one sample decides nothing";
  add(key, 1, 200.0, 1);
  EXPECT_EQ(established(key, options), 0u);
}

TEST(EstablishedByPriors, OthersAreNotRuledOutWhereAResultContradicts) {
  KeyStatistics key = with_priors();
  add(key, 0, 100.0, 20);
  add(key, 1, 300.0, 20);
  EXPECT_EQ(established(key, options), std::nullopt);
}

TEST(EstablishedByPriors, OthersAreNotRuledOutWhereASingleResultContradicts) {
  KeyStatistics key = with_priors();
  add(key, 0, 100.0, 20);
  add(key, 1, 200.0, 20);
  add(key, 2, 150.0, 1);
  EXPECT_EQ(established(key, options), std::nullopt);
}

TEST(EstablishedByPriors, ThePriorsMoveTogether) {
  // Everything has become three times as slow since the table was measured.
  KeyStatistics key = with_priors();
  add(key, 0, 300.0, 20);
  add(key, 1, 600.0, 5);
  EXPECT_EQ(established(key, options), 0u);
}

TEST(EstablishedByPriors, OthersThatAreCloseAreNotRuledOut) {
  KeyStatistics key = with_priors();
  key.candidates[3].prior = std::log(105.0);
  add(key, 0, 100.0, 500);
  add(key, 1, 200.0, 20);
  EXPECT_EQ(established(key, options), std::nullopt);
}

TEST(EstablishedByPriors, VaguePriorsRuleNobodyOut) {
  KeyStatistics key = with_priors(0.5);
  add(key, 0, 100.0, 500);
  add(key, 1, 200.0, 20);
  EXPECT_EQ(established(key, options), std::nullopt);
}

TEST(EstablishedByPriors, APriorOfTooFewResultsRulesNobodyOut) {
  KeyStatistics key = with_priors();
  key.candidates[3].prior_count = 1;
  add(key, 0, 100.0, 500);
  add(key, 1, 200.0, 20);
  EXPECT_EQ(established(key, options), std::nullopt);
}

TEST(EstablishedByPriors, OwnResultsOutweighAPrior) {
  KeyStatistics key = with_priors();
  add(key, 0, 100.0, 500);
  add(key, 1, 200.0, 20);
  add(key, 3, 50.0, 1);
  EXPECT_EQ(established(key, options), std::nullopt);
}

TEST(EstablishedByPriors, APriorAloneNeverPromotes) {
  KeyStatistics key = with_priors();
  key.candidates[3].prior = std::log(20.0);
  add(key, 0, 100.0, 500);
  add(key, 1, 200.0, 20);
  EXPECT_EQ(established(key, options), std::nullopt);
}

// Of the first candidate every hundredth launch takes fifteen times as long, of the second as many as asked
// for.
KeyStatistics with_outliers(double rival_ns, int rival_launches, int rival_outliers) {
  KeyStatistics key = of(2, 1);
  for (int i = 0; i < 1000; ++i) key.add(0, i % 100 == 50 ? 1500.0 : 100.0);
  for (int i = 0; i < rival_launches; ++i) {
    const bool outlier = i > 20 && i <= 20 + rival_outliers;
    key.add(1, outlier ? 15.0 * rival_ns : rival_ns);
  }
  return key;
}

TEST(Established, NobodyIsWhoseOutliersANearRivalMayNotHave) {
  EXPECT_EQ(established(with_outliers(102.0, 40, 0), options), std::nullopt);
  EXPECT_EQ(established(with_outliers(102.0, 400, 1), options), std::nullopt) << "four were to be expected";
}

TEST(Established, OutliersThatANearRivalHasTooAreNobodysOwn) {
  EXPECT_EQ(established(with_outliers(102.0, 400, 4), options), 0u);
}

TEST(Established, OutliersAreTakenForEverybodysWhereRivalsAreFar) {
  EXPECT_EQ(established(with_outliers(110.0, 40, 0), options), 0u);
}

TEST(Established, ARivalFurtherBehindThanTheOutliersAddDoesNotMatter) {
  KeyStatistics key = of(2, 1);
  for (int i = 0; i < 1000; ++i) key.add(0, i % 250 == 50 ? 600.0 : 100.0);
  add(key, 1, 104.0, 40);
  ASSERT_GT(key[0].tail, 0.0);
  EXPECT_EQ(established(key, options), 0u) << "outliers add two percent";
}

TEST(Established, AnIncumbentWithoutOutliersIsConfirmedBesideAFasterTie) {
  KeyStatistics key = of(2, 0);
  for (int i = 0; i < 1000; ++i) {
    key.add(0, 100.2);
    key.add(1, i % 100 == 50 ? 1500.0 : 100.0);
  }
  EXPECT_EQ(established(key, options), 0u);
}

TEST(Established, OutliersThatNeverCountLeaveNoDoubt) {
  KeyStatistics key = of(2, 1);
  key.objective = Objective::robust;
  for (int i = 0; i < 1000; ++i) key.add(0, i % 100 == 50 ? 1500.0 : 100.0);
  add(key, 1, 102.0, 40);
  EXPECT_EQ(established(key, options), 0u);
}

}  // namespace
}  // namespace adaptive::core
