// Causes CUDA errors on purpose, so checkers of CUDA programs should not run this test. The caller's errors
// are not cleared, an error of a variant sets the variant aside, and a lost GPU stops only the timing.
#include "tests/cuda/separate_process.hpp"
#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

using TimerErrors = TimerTest;

TEST_F(TimerErrors, TheCallersErrorStaysWhereItIs) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  launch_spin(1, nullptr, stream);  // loaded
  // An error of the caller, which the caller has not read yet.
  ASSERT_EQ(cudaSetDevice(10'000), cudaErrorInvalidDevice);
  {
    Timer timer;
    timer.bias();
    plug(stream);
    for (int i = 0; i < 100; ++i) {
      launch(timer, op, stream);
      timer.poll();  // finds events that are not ready, which the runtime would remember
      ASSERT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
    }
    EXPECT_GT(device_count(), 0);
    static_cast<void>(device(0));
    EXPECT_TRUE(timer.drain());
    EXPECT_GE(timer.counters().recorded, 90u);
  }
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(TimerErrors, NoneIsMadeWhereThereWasNone) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  plug(stream);
  for (int i = 0; i < 100; ++i) {
    launch(timer, op, stream);
    timer.poll();
    ASSERT_EQ(cudaPeekAtLastError(), cudaSuccess);
  }
}

TEST_F(TimerErrors, AFailedLaunchSetsItsVariantAsideAndHasNoLatency) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a", "b"}));
  Timer timer;
  plug(stream);
  {
    auto one = timer.launch(op, {8}, stream);
    ASSERT_TRUE(one.timed());
    EXPECT_EQ(one.check(cudaErrorInvalidConfiguration), cudaErrorInvalidConfiguration);
    EXPECT_FALSE(one.timed());
  }
  EXPECT_EQ(timer.launch(op, {8}, stream).variant(), 1u);
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.failed, 1u);
  EXPECT_EQ(op.counters().failures, 1u);
  expect_adds_up(c);
}

TEST_F(TimerErrors, NoRoomOnTheGpuIsSaidOnce) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a", "b", "c"}));
  Log log;
  Timer timer({.log = log.callback()});
  for (int i = 0; i < 3; ++i) timer.launch(op, {8}, stream).check(cudaErrorLaunchOutOfResources);
  EXPECT_EQ(log.count(""), 1u) << log.text();
  EXPECT_EQ(timer.counters().failed, 3u);
  launch(timer, op, stream);
  EXPECT_TRUE(timer.drain()) << "the context is as good as before";
}

TEST_F(TimerErrors, TheLegacyStreamIsLeftAloneDuringACapture) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  cudaStream_t blocking = nullptr;
  ASSERT_EQ(cudaStreamCreate(&blocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(blocking, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  {
    // Any call on the legacy stream, even a query, would break the capture now.
    auto one = timer.launch(op, {8}, cudaStreamLegacy);
    EXPECT_FALSE(one.timed());
    EXPECT_TRUE(one.captured());
  }
  ASSERT_EQ(launch_spin(10 * us, nullptr, blocking), cudaSuccess);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(blocking, &graph), cudaSuccess);
  if (graph != nullptr) cudaGraphDestroy(graph);
  EXPECT_EQ(cudaStreamDestroy(blocking), cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

// A kernel that writes to an invalid address loses the context, so a separate process does that.
TEST_F(TimerErrors, ALostContextEndsTheTimingWithOneMessageAndNoHang) {
  expect_that_checks_hold_in(ADAPTIVE_LOST_CONTEXT);
}

}  // namespace
}  // namespace adaptive::cuda::test
