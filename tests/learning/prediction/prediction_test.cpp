// Predictions of latencies whose law is known: tiles of a matrix product, bound by memory or by arithmetic.
#include "learning/prediction/prediction.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <adaptive/random.hpp>
#include "base/statistics/normal.hpp"

namespace adaptive::inline v1::policies {
namespace {

constexpr std::uint32_t variants = 12;

const std::vector<Dimension>& dimensions() {
  static const std::vector<Dimension> all = {size_dimension("m"), size_dimension("n")};
  return all;
}

/// Loads weights of n columns once a tile row, computes whole tiles: large tiles waste work on few rows,
/// small ones read too often for many.
double latency_ns(std::uint32_t variant, const Key& key) {
  const double tile = 16.0 * std::exp2(variant % 4);
  const double tax = 1.0 + 0.03 * (variant / 4);
  const double m = static_cast<double>(key[0]);
  const double n = static_cast<double>(key[1]);
  const double rows = std::ceil(m / tile);
  return tax * (5'000.0 + n * (rows * 2.0 + 0.05 * rows * tile * (1.0 + 16.0 / tile)));
}

core::KnownKey measured(const Key& key, Random& random, double noise = 0.01) {
  core::KnownKey known{key, 0.0, {}};
  for (std::uint32_t v = 0; v < variants; ++v) {
    const double ns = latency_ns(v, key) * std::exp(noise * core::normal(random));
    known.variants.push_back({v, 20, ns, ns, 20 * noise * noise * ns * ns, 0});
  }
  return known;
}

std::vector<core::KnownKey> grid(Random& random) {
  std::vector<core::KnownKey> keys;
  for (std::int64_t m = 1; m <= 4096; m *= 2)
    for (const std::int64_t n : {1024, 4096, 16384}) keys.push_back(measured({m, n}, random));
  return keys;
}

std::vector<std::uint32_t> all_variants() {
  std::vector<std::uint32_t> all(variants);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

struct Errors {
  std::size_t covered = 0;
  std::size_t all = 0;
  double squares = 0.0;
  double start_gap = 0.0;
  std::size_t keys = 0;

  double root_mean_square() const { return std::sqrt(squares / static_cast<double>(all)); }
  double coverage() const { return static_cast<double>(covered) / static_cast<double>(all); }

  void add(const Key& key, const core::Prediction& p) {
    std::vector<double> errors;
    std::uint32_t start = 0;
    double best = latency_ns(0, key);
    for (std::uint32_t v = 0; v < variants; ++v) {
      errors.push_back(p.candidates[v].location - std::log(latency_ns(v, key)));
      if (p.candidates[v].location < p.candidates[start].location) start = v;
      best = std::min(best, latency_ns(v, key));
    }
    ++keys;
    start_gap += latency_ns(start, key) / best - 1.0;
    std::vector<double> sorted = errors;
    std::sort(sorted.begin(), sorted.end());
    for (std::uint32_t v = 0; v < variants; ++v) {
      const double error = errors[v] - sorted[variants / 2];
      ++all;
      covered += std::abs(error) <= 1.645 * p.candidates[v].deviation ? 1 : 0;
      squares += error * error;
    }
  }
};

TEST(Prediction, OfKeysBetweenKnownOnesIsGoodAndKnowsHowGood) {
  Random random(1);
  LatencyPredictor predictor;
  predictor.fit(dimensions(), grid(random));
  Errors errors;
  for (std::int64_t m = 3; m <= 3072; m *= 2)
    for (const std::int64_t n : {2048, 8192}) {
      core::Prediction p;
      ASSERT_TRUE(predictor.predict({m, n}, all_variants(), p));
      errors.add({m, n}, p);
    }
  EXPECT_LT(errors.root_mean_square(), 0.15) << "between steps of tiles of up to two";
  EXPECT_LT(errors.start_gap / static_cast<double>(errors.keys), 0.04);
  EXPECT_GT(errors.coverage(), 0.8) << "90 % intervals";
  EXPECT_LE(errors.coverage(), 1.0);
}

TEST(Prediction, FarFromWhatIsKnownIsLessSure) {
  Random random(2);
  LatencyPredictor predictor;
  predictor.fit(dimensions(), grid(random));
  core::Prediction near;
  core::Prediction far;
  ASSERT_TRUE(predictor.predict({96, 4096}, all_variants(), near));
  ASSERT_TRUE(predictor.predict({96, 4'000'000}, all_variants(), far));
  EXPECT_GT(far.deviation, 1.5 * near.deviation);
}

TEST(Prediction, IsMadeOfKeysThatMeasuredDifferentVariants) {
  Random random(3);
  std::vector<core::KnownKey> keys = grid(random);
  for (core::KnownKey& key : keys)
    std::erase_if(key.variants, [&](const core::SeedVariant&) { return random.uniform() < 0.5; });
  LatencyPredictor predictor;
  predictor.fit(dimensions(), keys);
  Errors errors;
  for (std::int64_t m = 3; m <= 3072; m *= 2) {
    core::Prediction p;
    ASSERT_TRUE(predictor.predict({m, 4096}, all_variants(), p));
    errors.add({m, 4096}, p);
  }
  EXPECT_LT(errors.root_mean_square(), 0.25);
  EXPECT_GT(errors.coverage(), 0.8);
}

TEST(Prediction, SaysNothingOfVariantsThatNobodyMeasured) {
  Random random(4);
  LatencyPredictor predictor;
  predictor.fit(dimensions(), grid(random));
  core::Prediction p;
  ASSERT_TRUE(predictor.predict({96, 4096}, std::vector<std::uint32_t>{0, 1, 99}, p));
  EXPECT_EQ(p.candidates[0].location, p.candidates[0].location);
  EXPECT_NE(p.candidates[2].location, p.candidates[2].location);
}

TEST(Prediction, NeedsKeysEnough) {
  Random random(5);
  std::vector<core::KnownKey> keys = grid(random);
  keys.resize(LatencyPredictor::keys_min - 1);
  LatencyPredictor predictor;
  predictor.fit(dimensions(), keys);
  core::Prediction p;
  EXPECT_FALSE(predictor.predict({96, 4096}, all_variants(), p));
  predictor.fit(dimensions(), grid(random));
  EXPECT_TRUE(predictor.predict({96, 4096}, all_variants(), p));
  predictor.fit(dimensions(), keys);
  EXPECT_FALSE(predictor.predict({96, 4096}, all_variants(), p)) << "what was fitted before is forgotten";
}

TEST(Prediction, ComparesNoKeysOfOtherLabels) {
  Random random(6);
  const std::vector<Dimension> labelled = {size_dimension("m"), size_dimension("n"),
                                           label_dimension("type", {"half", "float"})};
  std::vector<core::KnownKey> keys = grid(random);
  for (core::KnownKey& key : keys) key.key = Key{key.key[0], key.key[1], 0};
  LatencyPredictor predictor;
  predictor.fit(labelled, keys);
  core::Prediction p;
  EXPECT_TRUE(predictor.predict({96, 4096, 0}, all_variants(), p));
  EXPECT_FALSE(predictor.predict({96, 4096, 1}, all_variants(), p));
}

TEST(Prediction, OfAnotherDeviceIsLessSure) {
  Random random(7);
  std::vector<core::KnownKey> keys = grid(random);
  LatencyPredictor here;
  here.fit(dimensions(), keys);
  for (core::KnownKey& key : keys) key.deviation = 0.15;
  LatencyPredictor elsewhere;
  elsewhere.fit(dimensions(), keys);
  core::Prediction of_here;
  core::Prediction of_elsewhere;
  ASSERT_TRUE(here.predict({96, 4096}, all_variants(), of_here));
  ASSERT_TRUE(elsewhere.predict({96, 4096}, all_variants(), of_elsewhere));
  EXPECT_GT(of_elsewhere.deviation, 0.15);
  EXPECT_GT(of_elsewhere.deviation, of_here.deviation);
}

TEST(Prediction, SurvivesWhatIsNotMeasured) {
  Random random(8);
  std::vector<core::KnownKey> keys = grid(random);
  for (core::KnownKey& key : keys) {
    key.variants[0].count = 0;
    key.variants[1].location_ns = key.variants[1].mean_ns = 0.0;
  }
  keys[0].variants.clear();
  keys[1].key = Key{0, -5};
  LatencyPredictor predictor;
  predictor.fit(dimensions(), keys);
  core::Prediction p;
  ASSERT_TRUE(predictor.predict({0, 4096}, all_variants(), p));
  for (std::uint32_t v = 2; v < variants; ++v) {
    EXPECT_TRUE(std::isfinite(p.candidates[v].location));
    EXPECT_GT(p.candidates[v].deviation, 0.0);
  }
}

}  // namespace
}  // namespace adaptive::policies
