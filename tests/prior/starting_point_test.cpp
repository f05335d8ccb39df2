// Where a key begins: exact, nearest, default.
#include "prior/starting_point.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace adaptive::inline v1::core {
namespace {

class StartingPoints : public testing::Test {
 protected:
  static SeedEntry entry(Key key, std::uint32_t incumbent, std::vector<SeedVariant> variants = {}) {
    SeedEntry seed;
    seed.key = key;
    seed.incumbent = incumbent;
    seed.trusted = true;
    seed.source = "table.json";
    seed.variants = std::move(variants);
    return seed;
  }
  static SeedVariant measured(std::uint32_t variant, double ns, std::uint64_t count = 10) {
    return {variant, count, ns, ns, 0.0, 0};
  }
  void seed(std::vector<SeedEntry> entries) { seeds_.add(std::move(entries), true); }
  StartingPoint start(Key key) {
    return starting_point({dimensions_, key, limit_, candidates_, 0}, seeds_, neighbours_);
  }
  std::uint32_t variant(const StartingPoint& point) const { return candidates_[point.candidate]; }

  std::vector<Dimension> dimensions_ = {size_dimension("m")};
  std::vector<std::uint32_t> candidates_ = {0, 1, 2, 3};
  double limit_ = 1.0;
  Seeds seeds_;
  std::vector<Neighbour> neighbours_;
};

TEST_F(StartingPoints, WithoutSeedsIsTheDefault) {
  const StartingPoint point = start({64});
  EXPECT_EQ(point.match.kind, MatchKind::fallback);
  EXPECT_EQ(variant(point), 0u);
  EXPECT_FALSE(point.trusted);
  for (const double prior : point.prior) EXPECT_NE(prior, prior);
}

TEST_F(StartingPoints, TakesTheExactEntryAndItsPriors) {
  seed({entry({64}, 2, {measured(2, 100.0), measured(1, 300.0)}), entry({65}, 3)});
  const StartingPoint point = start({64});
  EXPECT_EQ(point.match.kind, MatchKind::exact);
  EXPECT_EQ(point.match.distance, 0.0);
  EXPECT_EQ(variant(point), 2u);
  EXPECT_TRUE(point.trusted);
  EXPECT_EQ(point.source, "table.json");
  EXPECT_NEAR(point.prior[2], std::log(100.0), 1e-12);
  EXPECT_NEAR(point.prior[1], std::log(300.0), 1e-12);
  EXPECT_NE(point.prior[0], point.prior[0]);
  EXPECT_EQ(point.prior_count, (std::vector<std::uint64_t>{0, 10, 10, 0}));
}

TEST_F(StartingPoints, TakesTheNearestWithinTheLimit) {
  seed({entry({16}, 1), entry({48}, 2), entry({1024}, 3)});
  const StartingPoint point = start({64});
  EXPECT_EQ(point.match.kind, MatchKind::nearest);
  EXPECT_EQ(point.match.source, Key{48});
  EXPECT_NEAR(point.match.distance, std::log2(64.0 / 48.0), 1e-12);
  EXPECT_EQ(variant(point), 2u);
  EXPECT_FALSE(point.trusted) << "a neighbour's latencies are no evidence";
}

TEST_F(StartingPoints, BorrowsNothingBeyondTheLimit) {
  seed({entry({16}, 1)});
  EXPECT_EQ(start({33}).match.kind, MatchKind::fallback);
  EXPECT_EQ(start({32}).match.kind, MatchKind::nearest) << "one doubling is within the limit of one";
  limit_ = -1.0;
  EXPECT_EQ(start({17}).match.kind, MatchKind::fallback);
  EXPECT_EQ(start({16}).match.kind, MatchKind::exact) << "an exact entry is not borrowed";
}

TEST_F(StartingPoints, TakesTheSmallerOfTwoEquallyNear) {
  seed({entry({128}, 2), entry({32}, 1)});
  EXPECT_EQ(start({64}).match.source, Key{32});
}

TEST_F(StartingPoints, SeesThatTwoAreEquallyNearThoughRatiosRound) {
  for (std::int64_t a = 1; a <= 40; ++a)
    for (std::int64_t b = a + 1; b <= 40; ++b) {
      // a·a, a·b, b·b: the middle one is exactly as far from either.
      limit_ = 10.0;
      seeds_ = {};
      seed({entry({b * b}, 2), entry({a * a}, 1)});
      ASSERT_EQ(start({a * b}).match.source, Key{a * a}) << a << " " << b;
    }
}

TEST_F(StartingPoints, PrefersTheKeyOfThisRunToAnEntryOfTheSameKey) {
  seed({entry({32}, 1)});
  neighbours_.push_back({Key{32}, 3, {}});
  const StartingPoint point = start({64});
  EXPECT_EQ(variant(point), 3u);
  EXPECT_EQ(point.source, "this run");
}

TEST_F(StartingPoints, PrefersTheNearerOfRunAndTable) {
  seed({entry({60}, 1)});
  neighbours_.push_back({Key{32}, 3, {}});
  EXPECT_EQ(variant(start({64})), 1u);
}

TEST_F(StartingPoints, AsksTheNextNearestWhereTheVariantCannotRun) {
  candidates_ = {0, 2};
  seed({entry({60}, 1), entry({50}, 2)});
  const StartingPoint point = start({64});
  EXPECT_EQ(point.match.source, Key{50});
  EXPECT_EQ(variant(point), 2u);
}

TEST_F(StartingPoints, TakesTheFastestMeasuredThatCanRun) {
  candidates_ = {0, 2, 3};
  seed({entry({60}, 1, {measured(1, 10.0), measured(2, 30.0), measured(3, 20.0), measured(0, 25.0, 0)})});
  EXPECT_EQ(variant(start({64})), 3u);
}

TEST_F(StartingPoints, IsTheDefaultWhereNoNeighboursVariantCanRun) {
  candidates_ = {0, 3};
  seed({entry({60}, 1), entry({50}, 2)});
  EXPECT_EQ(start({64}).match.kind, MatchKind::fallback);
}

TEST_F(StartingPoints, KeepsAnExactEntryWhoseIncumbentCannotRun) {
  candidates_ = {0, 3};
  seed({entry({64}, 1, {measured(3, 50.0)}), entry({63}, 3)});
  const StartingPoint point = start({64});
  EXPECT_EQ(point.match.kind, MatchKind::exact);
  EXPECT_EQ(variant(point), 3u);
  EXPECT_NEAR(point.prior[1], std::log(50.0), 1e-12);
}

TEST_F(StartingPoints, WeighsDimensions) {
  dimensions_ = {size_dimension("m", 0.1), size_dimension("n", 1.0)};
  seed({entry({64, 200}, 1), entry({1024, 128}, 2)});
  EXPECT_EQ(start({64, 128}).match.source, (Key{1024, 128}));
}

TEST_F(StartingPoints, NeverBorrowsAcrossLabels) {
  dimensions_ = {size_dimension("m"), label_dimension("dtype", {"a", "b"})};
  limit_ = std::numeric_limits<double>::infinity();
  seed({entry({64, 0}, 1), entry({4096, 1}, 2)});
  EXPECT_EQ(start({64, 1}).match.source, (Key{4096, 1}));
}

TEST_F(StartingPoints, BelievesForeignAndFarSeedsLess) {
  std::vector<SeedEntry> entries = {entry({64}, 1, {measured(1, 100.0)}),
                                    entry({256}, 1, {measured(1, 100.0)})};
  entries[1].trusted = false;
  seed(entries);
  const double exact = start({64}).prior_deviation[1];
  const double foreign = start({256}).prior_deviation[1];
  const double near = start({66}).prior_deviation[1];
  const double far = start({120}).prior_deviation[1];
  EXPECT_LT(exact, near);
  EXPECT_LT(near, far);
  EXPECT_LT(exact, foreign);
  EXPECT_FALSE(start({256}).trusted);
}

TEST_F(StartingPoints, MakesNoPriorOfWhatWasNotMeasured) {
  seed({entry({64}, 1, {{1, 0, 0.0, 0.0, 0.0, 3}, {2, 5, 0.0, 0.0, 0.0, 0}, {3, 5, 0.0, 80.0, 0.0, 0}})});
  const StartingPoint point = start({64});
  EXPECT_NE(point.prior[1], point.prior[1]);
  EXPECT_NE(point.prior[2], point.prior[2]);
  EXPECT_NEAR(point.prior[3], std::log(80.0), 1e-12) << "the mean, where no location is known";
}

TEST_F(StartingPoints, FollowsTheMeasurementsOfATableNotTheIncumbentThatTheyDisprove) {
  for (const std::int64_t m : {64, 65}) {
    seeds_ = {};
    seed({entry({64}, 2, {measured(2, 1200.0), measured(1, 100.0), measured(3, 300.0)})});
    const StartingPoint point = start({m});
    EXPECT_EQ(point.match.kind, m == 64 ? MatchKind::exact : MatchKind::nearest);
    EXPECT_EQ(variant(point), 1u);
    EXPECT_EQ(point.overruled, 2u);
    EXPECT_NEAR(point.overruled_gain, 1.0 - 100.0 / 1200.0, 1e-12);
  }
}

TEST_F(StartingPoints, FollowsAnIncumbentThatMayWellBeTheFastest) {
  seed({entry({64}, 2, {measured(2, 104.0), measured(1, 100.0)})});
  EXPECT_EQ(variant(start({64})), 2u);
  EXPECT_FALSE(start({64}).overruled.has_value());
}

}  // namespace
}  // namespace adaptive::core
