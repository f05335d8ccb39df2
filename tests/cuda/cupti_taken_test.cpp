// Tests the case that another part of the program is CUPTI's client, as a profiler would be.
#include <cupti.h>

#include "cuda/cupti/library.hpp"
#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

void CUPTIAPI ignore(void*, CUpti_CallbackDomain, CUpti_CallbackId, const void*) {}

using CuptiTaken = TimerTest;

TEST_F(CuptiTaken, LaunchesAreTimedByEventsAndTheLogSaysSoOnce) {
  const CuptiLibrary* const cupti = CuptiLibrary::find();
  if (cupti == nullptr) GTEST_SKIP() << "CUPTI is not installed";
  {
    Log log;
    const Timer timer({.timing = Timing::cupti, .log = log.callback()});
    if (timer.timing() != Timing::cupti) GTEST_SKIP() << log.text();
  }
  CUpti_SubscriberHandle other = nullptr;
  if (cupti->subscribe(&other, &ignore, nullptr) != CUPTI_SUCCESS) GTEST_SKIP() << "a profiler has it";
  {
    Log log;
    Timer timer({.timing = Timing::cupti, .log = log.callback()});
    EXPECT_EQ(timer.timing(), Timing::events);
    EXPECT_EQ(log.count("CUPTI", LogLevel::warning), 1u) << log.text();
    const auto selector = selector_timed();
    Operation& op = selector->define(operation({"a"}));
    launch_queued(timer, op, stream, 20);
    ASSERT_TRUE(timer.drain());
    // On a busy host the stream may become idle between launches, whose latencies are then left out.
    const TimerCounters counters = timer.counters();
    EXPECT_GT(counters.recorded, 0u);
    EXPECT_GE(counters.recorded + counters.idle, 19u);
    expect_adds_up(counters);
    EXPECT_EQ(log.count(""), 1u) << log.text();
  }
  EXPECT_EQ(cupti->unsubscribe(other), CUPTI_SUCCESS);
  EXPECT_EQ(Timer(Timing::cupti).timing(), Timing::cupti) << "it is free again";
}

}  // namespace
}  // namespace adaptive::cuda::test
