// What the default policy promises: docs and README quote these figures.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include <adaptive/policy.hpp>
#include "replay/environments/environment.hpp"
#include "replay/runner.hpp"
#include "tests/policies/effort.hpp"

namespace adaptive {
namespace {

using replay::Outcome;
using replay::RunOptions;
using replay::runs;
using replay::Synthetic;

// Eight variants in geometric progression from 1 to 2, in random order, with the mix of noise; no seed.
TEST(DefaultPolicy, MeetsItsTargets) {
  RunOptions how;
  how.policy = make_policy("default");
  how.calls = 10'000;
  how.checkpoints = {1'000};
  Synthetic environment({});
  const std::size_t count = runs(1'000, 40);
  double overhead_1_000 = 0.0;
  double overhead_10_000 = 0.0;
  std::size_t wrong = 0;
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    const Outcome outcome = replay::run(environment, how, seed);
    overhead_1_000 += outcome.overhead[0] / static_cast<double>(count);
    overhead_10_000 += outcome.overhead_end / static_cast<double>(count);
    wrong += outcome.wrong_promotions;
  }
  RecordProperty("overhead_1000_percent", std::to_string(100.0 * overhead_1_000));
  RecordProperty("overhead_10000_percent", std::to_string(100.0 * overhead_10_000));
  EXPECT_LE(overhead_1_000, 0.006);
  EXPECT_LE(overhead_10_000, 0.0025);
  EXPECT_EQ(wrong, 0U) << "of " << count << " runs";
}

}  // namespace
}  // namespace adaptive
