// What results tell of disturbances: times in which every launch takes longer, whichever variant runs.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include <adaptive/statistics.hpp>
#include "policies/models/proof.hpp"

namespace adaptive {
namespace {

using Doubt = VariantStatistics::Doubt;

/// A key of three candidates of which nothing is expected. Each result is that of a call of its own.
class Disturbance : public testing::Test {
 protected:
  Disturbance() {
    key_.candidates.resize(3);
    Expectations expected;
    expected.location.assign(3, 10.0F);
    for (int i = 0; i < 9; ++i) expected.covariance.push_back(i % 4 == 0 ? 0.1F : 0.0F);
    auto shared = std::make_shared<const Expectations>(std::move(expected));
    Belief room;
    room.prepare(3);
    key_.expect(shared, room);
  }

  void add(std::uint32_t candidate, double ns, int times = 1) {
    for (int i = 0; i < times; ++i) {
      key_.calls += 1.0;
      key_.add(candidate, ns);
      key_.leader();
    }
  }
  Doubt doubt(std::size_t candidate) const { return key_[candidate].disturbed; }

  KeyStatistics key_;
};

TEST_F(Disturbance, LastsUntilAResultIsInTime) {
  add(0, 100.0, 4);
  EXPECT_FALSE(key_.is_disturbed());
  add(0, 300.0);
  EXPECT_TRUE(key_.is_disturbed());
  add(0, 101.0);
  EXPECT_FALSE(key_.is_disturbed());
}

TEST_F(Disturbance, ThatLastsIsNone) {
  add(0, 100.0, 200);
  add(0, 300.0, 8);
  EXPECT_TRUE(key_.is_disturbed());
  add(0, 300.0);
  EXPECT_FALSE(key_.is_disturbed()) << "looks must not wait for ever";
}

TEST_F(Disturbance, SpoilsALookBesideALateResult) {
  add(0, 100.0, 4);
  add(1, 240.0);
  add(0, 300.0);
  EXPECT_EQ(doubt(1), Doubt::none) << "the late result may be the only one";
  add(0, 100.0);
  EXPECT_EQ(doubt(1), Doubt::spoiled);
  EXPECT_EQ(key_.chance_faster(1, 0, 0.01), 1.0) << "nothing is proven by what may be spoiled";
}

TEST_F(Disturbance, SpoilsNothingThatWasKnownBefore) {
  add(0, 100.0, 4);
  add(1, 150.0);
  add(0, 100.0);
  add(0, 300.0, 3);
  add(0, 100.0);
  EXPECT_EQ(doubt(1), Doubt::none);
}

TEST_F(Disturbance, SpoilsNothingThatIsFurtherBehindThanItCanBe) {
  add(0, 100.0, 4);
  add(1, 900.0);
  add(0, 150.0);
  add(0, 100.0);
  EXPECT_EQ(doubt(1), Doubt::none);
}

TEST_F(Disturbance, ANewLookCountsOnceAnotherResultIsInTime) {
  add(0, 100.0, 4);
  add(1, 240.0);
  add(0, 300.0);
  add(0, 100.0);
  add(1, 250.0);
  EXPECT_EQ(doubt(1), Doubt::pending);
  add(0, 100.0);
  EXPECT_EQ(doubt(1), Doubt::none);
}

TEST_F(Disturbance, ANewLookInAnotherOneDoesNotCount) {
  add(0, 100.0, 4);
  add(1, 240.0);
  add(0, 300.0);
  add(0, 100.0);
  add(1, 250.0);
  add(0, 300.0);
  add(0, 100.0);
  EXPECT_EQ(doubt(1), Doubt::spoiled);
}

TEST_F(Disturbance, FromTheFirstCallOnIsNoticedAtItsEnd) {
  add(0, 300.0, 6);
  add(1, 240.0);
  add(2, 2'000.0);
  add(0, 100.0);
  EXPECT_NEAR(std::exp(key_[0].location), 100.0, 1e-6) << "no average with what was disturbed";
  EXPECT_EQ(doubt(1), Doubt::spoiled);
  EXPECT_EQ(doubt(2), Doubt::none) << "too slow to lead even without the disturbance";
}

TEST_F(Disturbance, ResultsThatContradictAFasterOneProveNothing) {
  add(1, 90.0, 20);
  add(0, 80.0);
  add(0, 240.0, 2);
  EXPECT_EQ(doubt(0), Doubt::spoiled);
  EXPECT_EQ(key_.chance_faster(0, 1, 0.01), 1.0);
}

TEST_F(Disturbance, ALeaderNeedsAWitness) {
  add(0, 300.0, 3);
  add(1, 240.0);
  add(2, 200.0, 20);
  EXPECT_FALSE(has_witness(key_, 2)) << "the first two may have been disturbed";
  add(1, 240.0);
  EXPECT_TRUE(has_witness(key_, 2));
}

TEST_F(Disturbance, AWitnessThatWasDisturbedTellsOfTheOthers) {
  add(0, 300.0, 3);
  add(1, 240.0);
  add(2, 200.0, 20);
  add(1, 80.0);
  EXPECT_EQ(key_.leader(), 1U);
  EXPECT_EQ(doubt(0), Doubt::spoiled);
  EXPECT_EQ(doubt(2), Doubt::spoiled);
}

TEST_F(Disturbance, NobodyIsAwaitedAsAWitnessWhoCannotBeLaunched) {
  add(0, 300.0, 3);
  add(2, 200.0, 20);
  EXPECT_FALSE(has_witness(key_, 2));
  key_.candidates[0].available = false;
  EXPECT_TRUE(has_witness(key_, 2));
}

TEST_F(Disturbance, ALeaderThatWasKnownFirstNeedsNoWitness) {
  add(0, 100.0, 3);
  add(1, 240.0);
  EXPECT_TRUE(has_witness(key_, 0));
}

}  // namespace
}  // namespace adaptive
