// Tests a timer where results and launches overlap with resets and drains, with very short kernels, and on a
// stream that runs dry.
#include <array>
#include <latch>
#include <thread>

#include "tests/cuda/instrumented.hpp"
#include "tests/cuda/separate_process.hpp"
#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

class TimerTrouble : public TimerTest, public testing::WithParamInterface<Timing> {
 protected:
  void SetUp() override {
    TimerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Log log;
    if (Timer({.timing = GetParam(), .log = log.callback()}).timing() != GetParam())
      GTEST_SKIP() << log.text();
  }
};

TEST_P(TimerTrouble, ADrainDoesNotWaitForALaunchThatIsOpen) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer(GetParam());
  for (int round = 0; round < 10; ++round) {
    plug(stream);
    auto one = timer.launch(op, {8}, stream);
    ASSERT_TRUE(one.timed());
    ASSERT_EQ(one.check(launch_spin(20 * us, nullptr, stream)), cudaSuccess);
    EXPECT_TRUE(timer.drain());
    const TimerCounters open = timer.counters();
    EXPECT_EQ(open.pending, 0u);
    EXPECT_EQ(open.timed, static_cast<std::uint64_t>(round)) << "the open launch has not been timed yet";
    expect_adds_up(open);
  }
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.timed, 10u);
  EXPECT_EQ(c.lost, 0u);
  expect_adds_up(c);
}

TEST_P(TimerTrouble, AResetDropsTheResultsThatAreInFlight) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer(GetParam());
  timer.bias();
  ASSERT_EQ(launch_spin(1, nullptr, stream), cudaSuccess);  // loaded
  plug(stream, 50'000 * us);
  for (int i = 0; i < 20; ++i) launch(timer, op, stream);
  op.reset();
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(op.explain({8}).candidates.at(0).count, 0u) << "they were launched before the reset";
  EXPECT_EQ(op.counters().results_expired, 20u);
  launch_queued(timer, op, stream, 20);
  ASSERT_TRUE(timer.drain());
  EXPECT_GT(op.explain({8}).candidates.at(0).count, 0u);
  expect_adds_up(timer.counters());
}

TEST_P(TimerTrouble, KernelsOfTwoMicrosecondsAreToldApart) {
  Selector selector(options_with<RoundRobin>());
  Operation& op = selector.define(operation({"a", "b"}));
  Timer timer(GetParam());
  timer.bias();
  constexpr std::array<std::uint64_t, 2> ns = {2 * us, 3 * us};
  for (const std::uint64_t one : ns) ASSERT_EQ(launch_spin(one, nullptr, stream), cudaSuccess);
  for (int i = 0; i < 400; ++i) {
    if (i % 40 == 0) plug(stream);
    auto one = timer.launch(op, {8}, stream);
    ASSERT_EQ(one.check(launch_spin(ns[one.variant()], nullptr, stream)), cudaSuccess);
  }
  ASSERT_TRUE(timer.drain());
  std::array<double, 2> location{};
  for (std::uint32_t v = 0; v < 2; ++v) {
    const auto candidate = op.explain({8}).candidates.at(v);
    EXPECT_GT(candidate.count, 100u);
    location[v] = candidate.location_ns;
    EXPECT_GT(location[v], 0.7 * static_cast<double>(ns[v]));
    EXPECT_LT(location[v], static_cast<double>(ns[v]) + 1'500.0);
  }
  if (instrumented()) return;
  EXPECT_GT(location[1] - location[0], 500.0);
  EXPECT_LT(location[1] - location[0], 1'500.0);
}

INSTANTIATE_TEST_SUITE_P(Sources, TimerTrouble, testing::Values(Timing::events, Timing::cupti),
                         [](const auto& source) {
                           return source.param == Timing::events ? std::string("Events")
                                                                 : std::string("Cupti");
                         });

class TimerDry : public TimerTest {};

// The program waits now and then, so that its stream is empty at the launch that follows.
TEST_F(TimerDry, LaunchesOnAStreamThatRanDryAreLeftOut) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  timer.bias();
  ASSERT_EQ(launch_spin(1, nullptr, stream), cudaSuccess);
  for (int i = 0; i < 50; ++i) {
    plug(stream);
    for (int k = 0; k < 8; ++k) launch(timer, op, stream);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    launch(timer, op, stream);  // on the empty stream
  }
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_GE(c.idle, 40u);
  EXPECT_GE(c.recorded, 300u);
  expect_adds_up(c);
  const double location = op.explain({8}).candidates.at(0).location_ns;
  EXPECT_GT(location, 0.95 * static_cast<double>(spin_ns(0)));
  EXPECT_LT(location, 1.10 * static_cast<double>(spin_ns(0)));
}

// A device reset destroys the context of events and executables, so a separate process does that.
TEST_F(TimerDry, WhatIsDestroyedAfterADeviceResetTouchesNothing) {
  expect_that_checks_hold_in(ADAPTIVE_RESET_CONTEXT);
}

}  // namespace
}  // namespace adaptive::cuda::test
