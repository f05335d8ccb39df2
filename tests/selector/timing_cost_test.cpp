#include "selector/timing_cost.hpp"

#include <gtest/gtest.h>

namespace adaptive::inline v1::core {
namespace {

TEST(TimingCost, IsThatOfTheReadingsOfTheClockAndOfTheCallsBetween) {
  // A clock in whose time only its own readings take any, 100 ns each: two for each timed launch, and one of
  // the measurement, shared by all launches.
  double now_ns = 0.0;
  const double cost_ns = measure_timing_cost_ns([&] { return now_ns += 100.0; });
  EXPECT_GE(cost_ns, 200.0);
  EXPECT_LE(cost_ns, 210.0);
  EXPECT_EQ(measure_timing_cost_ns([&] { return now_ns += 100.0; }), cost_ns) << "it repeats";
}

TEST(TimingCost, IsMeasuredOnceInAProcess) {
  const double cost_ns = host_timing_cost_ns();
  EXPECT_GT(cost_ns, 0.0);
  EXPECT_EQ(host_timing_cost_ns(), cost_ns);
}

}  // namespace
}  // namespace adaptive::core
