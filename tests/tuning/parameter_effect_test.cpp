// Tests which parameters are reported to matter.
#include "tuning/parameter_effect.hpp"

#include <gtest/gtest.h>

namespace adaptive::inline v1::tuning {
namespace {

// Latency 10 µs times 1, 2 or 4 by tile; threads make no difference.
RaceResult race_of(double scale) {
  RaceResult race;
  for (const auto& [tile, factor] : {std::pair(16, 4.0), std::pair(32, 2.0), std::pair(64, 1.0)})
    for (const int threads : {1, 2})
      race.contestants.push_back(
          {.candidate = {.name = "t", .parameters = {{"tile", tile}, {"threads", threads}}},
           .outcome = Outcome::slower,
           .count = 3,
           .location_us = 10.0 * factor * scale});
  race.best = 5;
  return race;
}

TEST(ParameterEffects, TellWhatMattersAndWhatDoesNot) {
  const std::vector<ParameterEffect> effects = parameter_effects({race_of(1.0), race_of(7.0)});
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(effects[0].parameter, "tile");
  EXPECT_NEAR(effects[0].share, 1.0, 1e-9) << "within a shape nothing else makes a difference";
  EXPECT_EQ(effects[1].parameter, "threads");
  EXPECT_NEAR(effects[1].share, 0.0, 1e-9);
  ASSERT_EQ(effects[0].values.size(), 3u);
  EXPECT_EQ(effects[0].values[0].value, "64");
  EXPECT_NEAR(effects[0].values[0].slowdown, 1.0, 1e-9);
  EXPECT_EQ(effects[0].values[0].wins, 2u);
  EXPECT_NEAR(effects[0].values[2].slowdown, 4.0, 1e-9);
  EXPECT_EQ(effects[0].values[2].shapes, 2u);
}

TEST(ParameterEffects, OfOneValueAreNone) {
  RaceResult race = race_of(1.0);
  race.contestants.resize(1);
  race.best = 0;
  EXPECT_TRUE(parameter_effects({race}).empty());
  EXPECT_TRUE(parameter_effects({}).empty());
}

}  // namespace
}  // namespace adaptive::tuning
