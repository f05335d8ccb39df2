// The confidence sequence holds at all times together, in as many runs as it says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <adaptive/statistics.hpp>
#include "tests/learning/noise.hpp"

namespace adaptive {
namespace {

constexpr int runs = 2000;
constexpr double error = 0.05;
// Four binomial deviations above the stated rate: a fixed seed cannot fail by bad luck that we have not seen.
const double most = runs * error + 4.0 * std::sqrt(runs * error * (1.0 - error));

// In how many of `runs` runs some candidate's interval misses the truth at some time.
int misses(std::size_t candidates, int results, double deviation, double outliers, std::uint64_t seed) {
  Random random(seed);
  int count = 0;
  for (int run = 0; run < runs; ++run) {
    KeyStatistics key;
    key.candidates.resize(candidates);
    bool missed = false;
    for (int i = 0; i < results && !missed; ++i) {
      const auto c = static_cast<std::uint32_t>(static_cast<std::size_t>(i) % candidates);
      double ns = test::noisy(random, 1000.0 * (c + 1.0), deviation);
      if (outliers > 0 && random.uniform() < outliers) ns *= 2.0 + 48.0 * random.uniform();
      key.add(c, ns);
      missed = std::abs(key[c].location - std::log(1000.0 * (c + 1.0))) > key.radius(c, error);
    }
    if (missed) ++count;
  }
  return count;
}

TEST(ConfidenceSequence, HoldsForTheNoiseOfLaunches) {
  EXPECT_LE(misses(1, 200, 0.03, 0.0, 1), most);
  EXPECT_LE(misses(8, 400, 0.03, 0.0, 2), most);
  EXPECT_LE(misses(4, 400, 0.01, 0.0, 3), most);
}

TEST(ConfidenceSequence, HoldsWithOutliers) {
  EXPECT_LE(misses(4, 400, 0.012, 0.01, 4), most);
}

// The location never stops following, so its error stops shrinking, and so must the radius.
TEST(ConfidenceSequence, HoldsOverALongRun) {
  EXPECT_LE(misses(1, 6000, 0.03, 0.0, 5), most);
}

TEST(ConfidenceSequence, HoldsForNoiseBeyondWhatIsExpected) {
  EXPECT_LE(misses(4, 400, 0.06, 0.0, 6), most);
}

}  // namespace
}  // namespace adaptive
