// Outliers that belong to a variant, and those that meet all alike.
#include <adaptive/statistics.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/learning/noise.hpp"

namespace adaptive {
namespace {

struct Noisy {
  double ns = 0.0;
  double outlier_share = 0.0;
};

/// So many results of each, in turn; an outlier takes thirty times as long.
KeyStatistics after(const std::vector<Noisy>& variants, int results, Objective objective) {
  KeyStatistics key;
  key.objective = objective;
  key.candidates.resize(variants.size());
  Random random(3);
  for (int i = 0; i < results; ++i)
    for (std::uint32_t v = 0; v < variants.size(); ++v) {
      const double factor = random.uniform() < variants[v].outlier_share ? 30.0 : 1.0;
      key.add(v, factor * test::noisy(random, variants[v].ns, 0.01));
    }
  return key;
}

TEST(Tails, OfItsOwnMakeAVariantSlower) {
  const std::vector<Noisy> variants = {{1000, 0.02}, {1005, 0.0}, {1100, 0.0}};
  EXPECT_EQ(after(variants, 400, Objective::automatic).leader(), 1u);
  EXPECT_EQ(after(variants, 400, Objective::mean).leader(), 1u);
  EXPECT_EQ(after(variants, 400, Objective::robust).leader(), 0u) << "it is faster but for its outliers";
}

TEST(Tails, ThatMeetAllVariantsAlikeSayNothing) {
  const std::vector<Noisy> variants = {{1000, 0.01}, {1100, 0.01}, {1200, 0.01}, {1300, 0.01}};
  const KeyStatistics key = after(variants, 3000, Objective::automatic);
  EXPECT_EQ(key.leader(), 0u);
  for (std::uint32_t v = 1; v < key.size(); ++v) EXPECT_NEAR(key[v].tail, key[0].tail, 0.05) << v;
}

TEST(Tails, OfOneEarlyOutlierSayNothingAgainstIt) {
  KeyStatistics key = after({{1000, 0.0}, {1010, 0.0}}, 10, Objective::automatic);
  key.add(0, 50'000);
  EXPECT_LT(key[0].tail, key[1].tail + 0.1) << "plain means would be apart by a factor of six";
}

TEST(Tails, ThatAddNextToNothingAreNotCounted) {
  // One result in a hundred takes a third longer: 0.3 percent.
  KeyStatistics key;
  key.candidates.resize(2);
  Random random(4);
  for (int i = 0; i < 1000; ++i) {
    key.add(0, (i % 100 == 7 ? 1.33 : 1.0) * test::noisy(random, 1000, 0.01));
    key.add(1, test::noisy(random, 1020, 0.01));
  }
  EXPECT_EQ(key[0].tail, 0.0);
  EXPECT_EQ(key[1].tail, 0.0);
}

TEST(Tails, OfTheMeanAreAllOfThem) {
  const KeyStatistics key = after({{1000, 0.02}, {1005, 0.0}}, 2000, Objective::mean);
  EXPECT_NEAR(std::exp(key[0].expected()), key[0].mean_ns, 0.05 * key[0].mean_ns);
  EXPECT_NEAR(std::exp(key[1].expected()), key[1].mean_ns, 0.01 * key[1].mean_ns);
}

}  // namespace
}  // namespace adaptive
