// Promotions are right as often as the options say.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "learning/key/promotion.hpp"
#include "tests/learning/noise.hpp"

namespace adaptive::inline v1::core {
namespace {

struct Outcome {
  int promotions = 0;
  int wrong = 0;      // keys that ever established a variant more than the zone above the best
  int undecided = 0;  // keys that never established any
};

struct Noise {
  double deviation = 0.012;
  double outliers = 0.01;
};

// Keys of `candidates` variants whose latencies lie within `spread` of each other, in round robin.
Outcome simulate(int keys, std::size_t candidates, double spread, int rounds, Noise noise,
                 std::uint64_t seed) {
  const LearningOptions options;
  Outcome outcome;
  Random random(seed);
  for (int k = 0; k < keys; ++k) {
    KeyStatistics key;
    key.candidates.resize(candidates);
    std::vector<double> truth;
    double best = 1e300;
    for (std::size_t i = 0; i < candidates; ++i) {
      truth.push_back(1000.0 * (1.0 + spread * random.uniform()));
      best = std::min(best, truth.back());
    }
    bool wrong = false;
    bool decided = false;
    for (int round = 0; round < rounds; ++round)
      for (std::uint32_t i = 0; i < candidates; ++i) {
        double ns = test::noisy(random, truth[i], noise.deviation);
        if (random.uniform() < noise.outliers) ns *= 2.0 + 48.0 * random.uniform();
        key.add(i, ns);
        const auto winner = established(key, options);
        if (!winner) continue;
        decided = true;
        if (*winner != key.incumbent) ++outcome.promotions;
        key.incumbent = *winner;
        wrong = wrong || truth[*winner] > best * (1.0 + options.indifference);
      }
    if (wrong) ++outcome.wrong;
    if (!decided) ++outcome.undecided;
  }
  return outcome;
}

TEST(Promotion, IsRightForVariantsFarApart) {
  const Outcome outcome = simulate(1000, 8, 1.0, 40, {}, 1);
  EXPECT_EQ(outcome.wrong, 0);
  EXPECT_GT(outcome.promotions, 700);
  EXPECT_LT(outcome.undecided, 300);
}

TEST(Promotion, IsRightForVariantsCloseTogether) {
  const Outcome outcome = simulate(500, 4, 0.04, 300, {}, 2);
  EXPECT_LE(outcome.wrong, 5) << "at most the stated share of one percent";
  EXPECT_GT(outcome.promotions, 100);
}

TEST(Promotion, IsRightForNoisyVariants) {
  const Outcome outcome = simulate(500, 4, 0.3, 100, {0.06, 0.01}, 3);
  EXPECT_LE(outcome.wrong, 5);
}

TEST(Promotion, IsRightForNoiselessVariants) {
  const Outcome outcome = simulate(500, 4, 0.3, 30, {0.0, 0.0}, 4);
  EXPECT_EQ(outcome.wrong, 0);
}

}  // namespace
}  // namespace adaptive::core
