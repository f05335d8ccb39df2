// One word decides a call: its packing, and the sampling that goes with it.
#include <adaptive/detail/key_table.hpp>
#include <adaptive/detail/ticks.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace adaptive::inline v1::detail {
namespace {

TEST(Plan, KeepsVariantAndShare) {
  for (const std::uint32_t variant : {0u, 1u, 77u, 65'534u})
    for (const double share : {0.0, 1.0 / 64, 0.25, 1.0}) {
      const std::uint64_t plan = Plan::make(variant, share);
      EXPECT_EQ(Plan::variant(plan), variant);
      EXPECT_NEAR(Plan::share(plan) / 4294967296.0, share, 1e-9);
    }
}

TEST(Plan, TakesSharesOutsideTheirRangeToItsEnds) {
  EXPECT_EQ(Plan::make(3, -1.0), Plan::make(3, 0.0));
  EXPECT_EQ(Plan::make(3, 7.0), Plan::make(3, 1.0));
  EXPECT_EQ(Plan::make(3, std::numeric_limits<double>::infinity()), Plan::make(3, 1.0));
}

int consulted(Ticks& ticks, double share, int calls) {
  const std::uint64_t plan = Plan::make(65'534, share);
  int count = 0;
  for (int i = 0; i < calls; ++i)
    if (ticks.next() < plan) ++count;
  return count;
}

TEST(Ticks, ConsultAlwaysAtOneAndNeverAtZero) {
  Ticks ticks(0);
  EXPECT_EQ(consulted(ticks, 1.0, 100'000), 100'000);
  EXPECT_EQ(consulted(ticks, 0.0, 100'000), 0);
}

TEST(Ticks, ConsultTheShareOfThePlan) {
  for (const std::uint64_t seed : {0u, 1u, 12345u})
    for (const double share : {1.0 / 64, 1.0 / 16, 1.0 / 4}) {
      Ticks ticks(seed);
      EXPECT_NEAR(consulted(ticks, share, 64'000), 64'000 * share, 64'000 * share * 0.05) << seed;
    }
}

TEST(Ticks, RepeatForTheSameSeed) {
  Ticks a(7);
  Ticks b(7);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(a.next(), b.next());
}

TEST(Ticks, SampleEveryKeyOfALoopOverKeys) {
  // A program goes round its keys in a fixed order: whatever their number, none may go unsampled, or be
  // sampled more than the others.
  constexpr int samples_each = 200;
  for (std::size_t keys = 1; keys <= 100; ++keys) {
    Ticks ticks(1);
    const std::uint64_t plan = Plan::make(0, 1.0 / 16);
    std::vector<int> count(keys);
    for (std::size_t i = 0; i < keys * 16 * samples_each; ++i)
      if (ticks.next() < plan) ++count[i % keys];
    for (const int n : count) {
      EXPECT_GT(n, samples_each * 3 / 4) << keys;
      EXPECT_LT(n, samples_each * 5 / 4) << keys;
    }
  }
}

}  // namespace
}  // namespace adaptive::detail
