#include "policies/models/parameter_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "base/statistics/normal.hpp"
#include "replay/environments/environment.hpp"
#include "replay/environments/recorded.hpp"
#include "replay/runner.hpp"
#include "table/trace.hpp"
#include "tests/policies/effort.hpp"

namespace adaptive::inline v1::policies {
namespace {

KeyStatistics on_a_line(std::size_t candidates) {
  KeyStatistics key;
  key.candidates.resize(candidates);
  ParameterSpace line{.dimensions = 1};
  for (std::size_t i = 0; i < candidates; ++i) line.coordinates.push_back(static_cast<float>(i));
  key.parameters = std::make_shared<const ParameterSpace>(std::move(line));
  return key;
}

/// Fits at once what is due; false where the results say nothing.
bool fit(ParameterModel& model, const KeyStatistics& key) {
  model.watch(key);
  if (model.due()) {
    const std::unique_ptr<ParameterFit> fit = model.start(key);
    fit->run();
    model.adopt(*fit);
  }
  return model.speaks_of(key);
}

TEST(ParameterModel, AsksForParametersAndMoreThanAFewCandidates) {
  EXPECT_TRUE(ParameterModel::applies(on_a_line(8)));
  EXPECT_FALSE(ParameterModel::applies(on_a_line(3)));
  KeyStatistics nothing_known;
  nothing_known.candidates.resize(8);
  EXPECT_FALSE(ParameterModel::applies(nothing_known));
}

TEST(ParameterModel, SaysNothingBeforeTheFirstResult) {
  ParameterModel model;
  EXPECT_FALSE(fit(model, on_a_line(8)));
}

TEST(ParameterModel, ExpectsTheLikeOfTheSlowToBeSlow) {
  KeyStatistics key = on_a_line(12);
  for (const std::uint32_t i : {0U, 2U, 4U, 6U, 8U}) key.add(i, 1000.0 * std::exp(0.2 * i));
  ParameterModel model;
  ASSERT_TRUE(fit(model, key));
  for (const std::uint32_t i : {1U, 3U, 5U, 7U})
    EXPECT_NEAR(model.location(i), std::log(1000.0) + 0.2 * i, 0.1) << i;
  EXPECT_GT(model.deviation(11), 2.0 * model.deviation(7)) << "the farther away, the less is known";
  EXPECT_LT(model.worth_from(1, key[0].location), 100.0);
  EXPECT_GT(model.worth_from(7, key[0].location), 1000.0);
}

TEST(ParameterModel, FindsOutThatParametersSayNothing) {
  KeyStatistics key = on_a_line(16);
  const std::initializer_list<double> scattered = {0.0, 0.9, 0.1, 0.7, 0.0, 1.0, 0.3, 0.8, 0.1, 0.9};
  std::uint32_t i = 0;
  for (const double x : scattered) key.add(i++, 1000.0 * std::exp(x));
  ParameterModel model;
  ASSERT_TRUE(fit(model, key));
  EXPECT_NEAR(model.location(15), std::log(1000.0) + 0.48, 0.15) << "the mean of all";
  EXPECT_GT(model.deviation(15), 0.3);
  EXPECT_LT(model.worth_from(15, key[0].location), 100.0);
}

TEST(ParameterModel, FollowsALocationThatHasMoved) {
  KeyStatistics key = on_a_line(8);
  for (const std::uint32_t i : {0U, 1U, 2U, 3U}) key.add(i, 1000.0);
  key.add(4, 4000.0);
  ParameterModel model;
  ASSERT_TRUE(fit(model, key));
  const double before = model.location(5);
  key.add(4, 1000.0);
  key.add(4, 1000.0);
  ASSERT_TRUE(fit(model, key));
  EXPECT_LT(model.location(5), before - 0.2) << "the first launch was disturbed";
}

TEST(ParameterModel, ColdFirstLaunchesSayNothing) {
  KeyStatistics key = on_a_line(8);
  for (int launch = 0; launch < 4; ++launch) key.add(0, launch == 0 ? 20'000.0 : 1000.0);
  key.add(1, 20'000.0);
  ASSERT_TRUE(key.starts_cold());
  ParameterModel model;
  ASSERT_TRUE(fit(model, key));
  EXPECT_NEAR(model.location(2), std::log(1000.0), 0.01);
}

TEST(ParameterModel, ManyCandidatesAreNoTrouble) {
  KeyStatistics key = on_a_line(600);
  for (std::uint32_t i = 0; i < 600; i += 2) key.add(i, 1000.0 * (1.0 + 0.01 * i));
  ParameterModel model;
  ASSERT_TRUE(fit(model, key));
  for (std::uint32_t i = 1; i < 600; i += 2)
    EXPECT_NEAR(model.location(i), std::log(1000.0 * (1.0 + 0.01 * i)), 0.3) << i;
}

/// Eight tile sizes of rows by eight of columns, named after them, as if recorded.
class Tiles {
 public:
  explicit Tiles(bool alike) {
    Random random(7);
    key_.operation = "tiles";
    for (std::uint32_t row = 0; row < 8; ++row)
      for (std::uint32_t column = 0; column < 8; ++column) {
        key_.variants.push_back(std::to_string(16 << row) + "x" + std::to_string(16 << column));
        const double off =
            alike ? 0.1 * std::abs(row - 5.3) + 0.15 * std::abs(column - 2.4) : random.uniform();
        std::vector<double>& latencies = key_.latency_ns.emplace_back();
        for (int round = 0; round < 50; ++round)
          latencies.push_back(20'000.0 * std::exp(off + 0.02 * core::normal(random)));
      }
  }

  /// Overhead after so many calls, and variants launched: means over runs.
  struct Cost {
    double overhead = 0.0;
    double launched = 0.0;
  };
  Cost cost(std::size_t calls, bool parameter_model, std::optional<replay::SeedTable> table = {}) const {
    replay::Recorded environment(key_, replay::Recorded::Order::random);
    replay::RunOptions how;
    how.policy = make_policy("imed");
    how.calls = calls;
    how.learning.parameter_model = parameter_model;
    how.seeds = table;
    const std::size_t count = replay::runs(40, 4);
    Cost cost;
    for (std::uint64_t seed = 1; seed <= count; ++seed) {
      const replay::Outcome outcome = replay::run(environment, how, seed);
      cost.overhead += outcome.overhead_end / static_cast<double>(count);
      cost.launched += static_cast<double>(outcome.launched_variants) / static_cast<double>(count);
    }
    return cost;
  }

 private:
  table::TraceKey key_;
};

TEST(ParameterModel, SavesMostFirstLooks) {
  const Tiles tiles(true);
  const Tiles::Cost with = tiles.cost(1'000, true);
  const Tiles::Cost without = tiles.cost(1'000, false);
  EXPECT_NEAR(without.launched, 64.0, 1e-9);
  EXPECT_LT(with.launched, 40.0);
  EXPECT_LT(with.overhead, 0.4 * without.overhead);
}

TEST(ParameterModel, CostsLittleWhereParametersSayNothing) {
  const Tiles tiles(false);
  for (const std::size_t calls : {1'000U, 10'000U}) {
    EXPECT_LT(tiles.cost(calls, true).overhead, 1.5 * tiles.cost(calls, false).overhead) << calls;
  }
}

TEST(ParameterModel, TakesOverWhereATableIsWrong) {
  const Tiles tiles(true);
  const replay::SeedTable wrong{.error = 0.5, .factor = 1.0, .same_device = true};
  EXPECT_LT(tiles.cost(1'000, true, wrong).overhead, 1.5 * tiles.cost(1'000, true).overhead);
}

TEST(ParameterModel, LeavesAGoodTableAlone) {
  const Tiles tiles(true);
  const double with = tiles.cost(1'000, true, replay::SeedTable{}).overhead;
  EXPECT_LT(with, 1.05 * tiles.cost(1'000, false, replay::SeedTable{}).overhead);
  EXPECT_LT(with, 0.5 * tiles.cost(1'000, true).overhead);
}

}  // namespace
}  // namespace adaptive::policies
