// Tests the end of recording by CUPTI, which lasts for the rest of the process.
#include <chrono>
#include <thread>

#include "cuda/cupti/session.hpp"
#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

using CuptiExhausted = TimerTest;

TEST_F(CuptiExhausted, LaunchesAreTimedByEventsFromThenOnAndTheLogSaysSoOnce) {
  Log log;
  Timer timer({.timing = Timing::cupti, .log = log.callback()});
  if (timer.timing() != Timing::cupti) GTEST_SKIP() << log.text();
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  launch_queued(timer, op, stream, 20);
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().recorded, 20u);
  // As if so many kernels of graphs had run.
  CuptiSession* const session = CuptiSession::current();
  ASSERT_NE(session, nullptr);
  for (std::uint64_t i = 0; i < CuptiGraphNodes::records_max; ++i) session->graph_nodes.record(1, 1, 1);
  EXPECT_EQ(timer.timing(), Timing::events);
  launch_queued(timer, op, stream, 100);
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_GE(c.recorded + c.idle, 119u);
  EXPECT_GT(c.recorded, 20u);
  expect_adds_up(c);
  EXPECT_EQ(log.count("CUPTI", LogLevel::warning), 1u) << log.text();
  // What began before is not waited for forever.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(timer.drain());
}

TEST_F(CuptiExhausted, ANewTimerUsesEvents) {
  {
    Timer timer(Timing::cupti);
    if (timer.timing() != Timing::cupti) GTEST_SKIP() << "CUPTI is not available, or exhausted already";
    for (std::uint64_t i = 0; i < CuptiGraphNodes::records_max; ++i)
      CuptiSession::current()->graph_nodes.record(1, 1, 1);
  }
  Log log;
  const Timer timer({.timing = Timing::cupti, .log = log.callback()});
  EXPECT_EQ(timer.timing(), Timing::events);
  EXPECT_EQ(log.count("too many kernels", LogLevel::warning), 1u) << log.text();
}

}  // namespace
}  // namespace adaptive::cuda::test
