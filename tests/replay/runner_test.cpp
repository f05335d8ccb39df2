#include "replay/runner.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include <adaptive/adaptive.hpp>

namespace adaptive::inline v1::replay {
namespace {

// Candidate `which`, timed, from the first call on.
class Always : public Policy {
 public:
  explicit Always(std::uint32_t which) : which_(which) {}
  Choice choose(const KeyStatistics&, Random&) noexcept override { return {which_, true}; }
  Unconsulted unconsulted(const KeyStatistics&) const noexcept override { return {which_, 1.0}; }

 private:
  std::uint32_t which_;
};

RunOptions always(std::uint32_t which, std::size_t calls) {
  RunOptions options;
  options.policy = [which] { return std::make_unique<Always>(which); };
  options.calls = calls;
  return options;
}

TEST(Runner, OverheadIsThatOfWhatRan) {
  Synthetic environment({});
  environment.restart(4);
  const std::uint32_t best = environment.best();
  const std::uint32_t other = (best + 1) % 8;
  const double gap = environment.gap(other);
  RunOptions options = always(other, 500);
  options.checkpoints = {10, 500};
  const Outcome outcome = run(environment, options, 4);
  ASSERT_EQ(outcome.overhead.size(), 2U);
  EXPECT_NEAR(outcome.overhead[0], gap, 1e-9);
  EXPECT_NEAR(outcome.overhead_end, gap, 1e-9);
  EXPECT_NEAR(outcome.overhead_realized, gap, 1e-9) << "the noise of a call is the same for all";
  EXPECT_EQ(outcome.timed_share, 1.0);
  EXPECT_EQ(outcome.counters.results, 500U);
  EXPECT_NEAR(run(environment, always(best, 500), 4).overhead_end, 0.0, 1e-12);
}

TEST(Runner, DelaysLosesAndRepeatsResults) {
  Synthetic environment({});
  RunOptions options = always(0, 20'000);
  options.learning.result_patience = 512;
  options.delivery.delay_min = 50;
  options.delivery.delay_max = 50;
  EXPECT_EQ(run(environment, options, 1).counters.results, 20'000U - 51U);

  options.delivery = {0, 10, 0.1, 0.2};
  const Outcome outcome = run(environment, options, 1);
  EXPECT_NEAR(static_cast<double>(outcome.counters.results), 18'000.0, 200.0);
  EXPECT_NEAR(static_cast<double>(outcome.counters.results_duplicate + outcome.counters.results_expired),
              3'600.0, 200.0);
  EXPECT_GT(outcome.counters.results_lost, 1'000U);
}

TEST(Runner, CountsPromotionsAndWrongOnes) {
  SyntheticOptions world;
  world.variants = 2;
  world.spread = 1.1;
  world.noise.outlier_share = 0.0;
  Synthetic environment(world);
  std::size_t promotions = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    RunOptions options;
    options.policy = make_policy("explore-first");
    options.calls = 2'000;
    const Outcome outcome = run(environment, options, seed);
    promotions += outcome.promotions;
    EXPECT_EQ(outcome.wrong_promotions, 0U);
    EXPECT_EQ(outcome.promotions, outcome.counters.promotions + outcome.counters.demotions);
  }
  EXPECT_GT(promotions, 0U);
}

TEST(Runner, SeedsComeFromATable) {
  Synthetic environment({});
  RunOptions options;
  options.policy = make_policy("fixed");
  options.calls = 200;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    options.seeds = SeedTable{0.0, 1.0, true};
    EXPECT_NEAR(run(environment, options, seed).overhead_end, 0.0, 1e-12);
    options.seeds = SeedTable{0.0, 1.6, false};
    EXPECT_NEAR(run(environment, options, seed).overhead_end, 0.0, 1e-12);
  }
}

// Runs the second candidate from a given call on.
class Switches : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    return {key.calls > 150.0 ? 1U : 0U, true};
  }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }
};

TEST(Runner, TimesTheReaction) {
  SyntheticOptions world;
  world.variants = 2;
  world.spread = 1.2;
  world.changes = {{100, Change::Whose::best, 1.5}};
  Synthetic environment(world);
  std::uint64_t seed = 1;
  for (environment.restart(seed); environment.best() != 0;) environment.restart(++seed);
  RunOptions options;
  options.policy = policy_of<Switches>();
  options.calls = 300;
  options.change_call = 100;
  const Outcome outcome = run(environment, options, seed);
  ASSERT_TRUE(outcome.reaction.has_value());
  // It switches 50 calls after the change; two of the window's twenty may be other calls.
  EXPECT_NEAR(static_cast<double>(*outcome.reaction), 49.0, 2.0);

  options.policy = [] { return std::make_unique<Always>(0); };
  EXPECT_FALSE(run(environment, options, seed).reaction.has_value());
}

}  // namespace
}  // namespace adaptive::replay
