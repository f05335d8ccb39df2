#include "replay/environments/environment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace adaptive::inline v1::replay {
namespace {

TEST(Noise, RepeatsGivenTheSeed) {
  Noise a({}, 5);
  Noise b({}, 5);
  Noise c({}, 6);
  for (int i = 0; i < 100; ++i) {
    const double x = a.next();
    EXPECT_EQ(x, b.next());
    EXPECT_NE(x, c.next());
  }
}

TEST(Noise, HasTheParametersItSays) {
  NoiseModel model;
  Noise noise(model, 1);
  constexpr int count = 200'000;
  int outliers = 0;
  double sum = 0.0;
  double squares = 0.0;
  double largest = 0.0;
  for (int i = 0; i < count; ++i) {
    const double x = noise.next();
    largest = std::max(largest, x);
    if (x > 1.5) {
      ++outliers;
      continue;
    }
    sum += std::log(x);
    squares += std::log(x) * std::log(x);
  }
  const double n = count - outliers;
  const double variance = squares / n - (sum / n) * (sum / n);
  EXPECT_NEAR(outliers / static_cast<double>(count), model.outlier_share, 0.001);
  EXPECT_NEAR(sum / n, model.skew, 0.001);
  // The normal part, the exponential one and the clock.
  EXPECT_NEAR(std::sqrt(variance), std::hypot(model.deviation, model.skew, model.clock_deviation), 0.0005);
  EXPECT_GT(largest, 0.8 * model.outlier_max);
  EXPECT_LT(largest, 1.2 * model.outlier_max);
}

TEST(Noise, ClockIsCorrelatedFromCallToCall) {
  NoiseModel model;
  model.deviation = model.skew = model.outlier_share = 0.0;
  Noise noise(model, 1);
  double products = 0.0;
  double squares = 0.0;
  double last = std::log(noise.next());
  for (int i = 0; i < 200'000; ++i) {
    const double x = std::log(noise.next());
    products += x * last;
    squares += x * x;
    last = x;
  }
  EXPECT_NEAR(products / squares, model.clock_correlation, 0.003);
  EXPECT_NEAR(std::sqrt(squares / 200'000), model.clock_deviation, 0.0007);
}

std::vector<double> sorted_means(const Environment& environment) {
  std::vector<double> means;
  for (std::uint32_t i = 0; i < environment.size(); ++i) means.push_back(environment.mean(i));
  std::sort(means.begin(), means.end());
  return means;
}

TEST(Synthetic, IsAGeometricProgressionInAnyOrder) {
  Synthetic environment({}, 1);
  std::vector<std::uint32_t> bests;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    environment.restart(seed);
    const std::vector<double> means = sorted_means(environment);
    ASSERT_EQ(means.size(), 8U);
    EXPECT_NEAR(means.back() / means.front(), 2.0, 1e-12);
    for (std::size_t i = 1; i < means.size(); ++i)
      EXPECT_NEAR(means[i] / means[i - 1], std::pow(2.0, 1.0 / 7.0), 1e-12);
    EXPECT_EQ(environment.mean(environment.best()), means.front());
    bests.push_back(environment.best());
  }
  for (std::uint32_t i = 0; i < 8; ++i) EXPECT_NE(std::count(bests.begin(), bests.end(), i), 0) << i;
}

TEST(Synthetic, ChangesWhenItShould) {
  SyntheticOptions options;
  options.changes = {
      {3, Change::Whose::best, 1.5}, {5, Change::Whose::all, 2.0}, {7, Change::Whose::third, 0.1}};
  Synthetic environment(options, 1);
  const std::vector<double> start = sorted_means(environment);
  const std::uint32_t best = environment.best();
  for (int call = 0; call < 3; ++call) environment.advance();
  EXPECT_EQ(environment.best(), best);
  environment.advance();  // call 3
  EXPECT_NE(environment.best(), best);
  EXPECT_DOUBLE_EQ(environment.mean(best), 1.5 * start[0]);
  environment.advance();
  EXPECT_DOUBLE_EQ(environment.best_mean(), start[1]);
  environment.advance();  // call 5
  EXPECT_DOUBLE_EQ(environment.best_mean(), 2.0 * start[1]);
  environment.advance();
  const double third = sorted_means(environment)[2];
  environment.advance();  // call 7
  EXPECT_DOUBLE_EQ(environment.best_mean(), 0.1 * third);
  environment.restart(1);
  EXPECT_EQ(sorted_means(environment), start);
}

TEST(Synthetic, OnlyTheFirstLaunchIsCold) {
  SyntheticOptions options;
  options.cold = 20.0;
  Synthetic environment(options, 1);
  environment.advance();
  EXPECT_DOUBLE_EQ(environment.launch(2), 20.0 * environment.latency_ns(2));
  EXPECT_DOUBLE_EQ(environment.launch(2), environment.latency_ns(2));
  EXPECT_DOUBLE_EQ(environment.launch(3), 20.0 * environment.latency_ns(3));
}

}  // namespace
}  // namespace adaptive::replay
