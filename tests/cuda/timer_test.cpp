// Tests that latencies arrive without further calls, are of the right kind, and are all accounted for.
#include "tests/cuda/timer_fixture.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace adaptive::inline v1::cuda::test {
namespace {

TEST_F(TimerTest, LatenciesArriveDuringLaterLaunches) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  timer.bias();
  launch_queued(timer, op, stream, 50);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  launch(timer, op, stream);  // takes eight
  EXPECT_GE(op.counters().results, 8u);
  static_cast<void>(timer.poll());  // the rest
  EXPECT_GE(op.counters().results, 49u);
  EXPECT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.timed, 51u);
  EXPECT_EQ(c.pending, 0u);
  EXPECT_GE(c.recorded, 49u) << "of 51, the first or the last may have met an idle stream";
  EXPECT_EQ(op.counters().results, c.recorded);
  expect_adds_up(c);
}

TEST_F(TimerTest, ReadsTheKernelsTime) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  launch_queued(timer, op, stream, 50);
  ASSERT_TRUE(timer.drain());
  const double location = op.explain({8}).candidates.at(0).location_ns;
  // Wide limits: the GPU may be shared. The benchmark prints how well the clocks agree.
  EXPECT_GT(location, 0.8 * static_cast<double>(spin_ns(0)));
  EXPECT_LT(location, 3.0 * static_cast<double>(spin_ns(0)));
}

TEST_F(TimerTest, FindsTheFastestVariant) {
  Selector selector(options());
  Operation& op = selector.define(operation({"slow", "fast"}));
  Timer timer;
  for (int i = 0; i < 600; ++i) {
    if (i % 20 == 0) {
      ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);  // or all were launched before the first result
      plug(stream, 500 * us);
    }
    auto one = timer.launch(op, {8}, stream);
    one.check(launch_spin(one.variant() == 0 ? 60 * us : 20 * us, nullptr, stream));
  }
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(incumbent(op, {8}), 1u) << op.explain({8});
}

TEST_F(TimerTest, AnUntimedLaunchIsNot) {
  auto frozen = options();
  frozen.mode = Mode::frozen;
  Selector selector(frozen);
  Operation& op = selector.define(operation({"a", "b"}));
  Timer timer;
  {
    auto one = timer.launch(op, {8}, stream);
    EXPECT_FALSE(one.timed());
    EXPECT_FALSE(one.captured());
    EXPECT_EQ(one.variant(), 0u);
    EXPECT_FALSE(one.pin().stale());
  }
  EXPECT_EQ(timer.counters().timed, 0u);
}

TEST_F(TimerTest, ACallSiteIsTimedAsItsOperation) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  const Site site = op.site({8});
  Timer timer;
  plug(stream);
  for (int i = 0; i < 10; ++i) {
    auto one = timer.launch(site, stream);
    EXPECT_TRUE(one.timed());
    one.check(launch_spin(20 * us, nullptr, stream));
  }
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(op.counters().results, timer.counters().recorded);
  EXPECT_GE(timer.counters().recorded, 9u);
}

// As a launch from Python: its host is slower than its kernels.
TEST_F(TimerTest, ALaunchThatIsHeldIsTimedWithoutItsHost) {
  using std::chrono::steady_clock;
  constexpr auto host = std::chrono::microseconds(400);
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  timer.bias();
  timer.hold_on_idle_streams(std::chrono::milliseconds(2));
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    auto one = timer.launch(op, {8}, stream);
    one.check(launch_spin(20 * us, nullptr, stream));
    for (const auto begin = steady_clock::now(); steady_clock::now() - begin < host;) {
    }
    one.check(launch_spin(20 * us, nullptr, stream));
  }
  ASSERT_TRUE(timer.drain());
  EXPECT_GE(timer.counters().recorded, 30u) << "the first one alone is not held";
  const double location = op.explain({8}).candidates.at(0).location_ns;
  EXPECT_GT(location, 35'000.0);
  EXPECT_LT(location, 200'000.0) << "the host needs 400 us";
  expect_adds_up(timer.counters());
}

TEST_F(TimerTest, AnIdleStreamIsToldFromABusyOne) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  timer.bias();
  launch_queued(timer, op, stream, 50);
  ASSERT_TRUE(timer.drain());
  const std::uint64_t before = timer.counters().recorded;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    launch(timer, op, stream);
  }
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().recorded, before) << "an idle sample came among queued ones";
  EXPECT_GE(timer.counters().idle, 20u);
  expect_adds_up(timer.counters());
}

TEST_F(TimerTest, AProgramThatWaitsForEveryLaunchLearnsAllTheSame) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  for (int i = 0; i < 60; ++i) {
    launch(timer, op, stream);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  }
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_GE(c.recorded, 30u);
  EXPECT_EQ(op.counters().results, c.recorded);
  expect_adds_up(c);
}

TEST_F(TimerTest, WhatItCountsAsRecordedIsTakenOverAChangeOfTheKindOfSample) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  timer.bias();
  launch_queued(timer, op, stream, 50);
  ASSERT_TRUE(timer.drain());
  for (int i = 0; i < 200; ++i) {
    launch(timer, op, stream);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  }
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(op.counters().results, timer.counters().recorded);
  EXPECT_EQ(op.counters().results_duplicate, 0u);
  EXPECT_LT(op.explain({8}).candidates.at(0).count, timer.counters().recorded) << "it began anew";
  expect_adds_up(timer.counters());
}

TEST_F(TimerTest, MoreThanMayBePendingAreLaunchedUntimed) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer({.pending_max = 4});
  timer.bias();
  plug(stream, 20'000 * us);
  for (int i = 0; i < 20; ++i) launch(timer, op, stream);
  TimerCounters c = timer.counters();
  EXPECT_EQ(c.timed, 4u);
  EXPECT_EQ(c.pending, 4u);
  EXPECT_EQ(c.dropped, 16u);
  ASSERT_TRUE(timer.drain());
  launch(timer, op, stream);
  c = timer.counters();
  EXPECT_EQ(c.timed, 5u) << "a slot comes back";
}

TEST_F(TimerTest, ATimerMayEndWithLaunchesPending) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  for (int round = 0; round < 20; ++round) {
    Timer timer;
    plug(stream, 200 * us);
    for (int i = 0; i < 10; ++i) launch(timer, op, stream);
  }
  Timer timer;
  launch_queued(timer, op, stream, 50);
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().lost, 0u);
  EXPECT_GE(timer.counters().recorded, 49u) << "pairs that were given back in flight can be used again";
}

TEST_F(TimerTest, LeavesOutALaunchThatThrew) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  plug(stream);
  try {
    auto one = timer.launch(op, {8}, stream);
    throw 1;
  } catch (int) {
  }
  EXPECT_EQ(timer.counters().timed, 0u);
  launch(timer, op, stream);
  EXPECT_EQ(timer.counters().timed, 1u);
}

TEST_F(TimerTest, TheDefaultStreamIsTheProgramsOwn) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  timer.bias();
  cudaStream_t const standard = nullptr;
  cudaEvent_t busy = nullptr;
  ASSERT_EQ(cudaEventCreate(&busy), cudaSuccess);
  // The work of the test uses its own calls of the runtime, which refer to one stream or the other.
  const auto enqueue = [&](std::uint64_t ns) {
    std::uint64_t* nowhere = nullptr;
    void* arguments[] = {&ns, &nowhere};
    return cudaLaunchKernel(spin_kernel(), dim3(1), dim3(1), arguments, 0, standard);
  };
  ASSERT_EQ(enqueue(2000 * us), cudaSuccess);
  for (int i = 0; i < 20; ++i) {
    auto one = timer.launch(op, {8}, standard);
    EXPECT_TRUE(one.timed());
    one.check(enqueue(20 * us));
  }
  ASSERT_EQ(cudaEventRecord(busy, standard), cudaSuccess);
  EXPECT_EQ(cudaEventQuery(busy), cudaErrorNotReady) << "the test is too slow to keep the stream busy";
  static_cast<void>(cudaGetLastError());
  EXPECT_EQ(op.counters().results, 0u);
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().idle, 0u);
  EXPECT_EQ(op.counters().results, 20u);
  EXPECT_EQ(cudaEventDestroy(busy), cudaSuccess);
  // The other default stream, by name.
#if defined(CUDA_API_PER_THREAD_DEFAULT_STREAM)
  launch(timer, op, cudaStreamLegacy);
#else
  launch(timer, op, cudaStreamPerThread);
#endif
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().timed, 21u);
}

TEST_F(TimerTest, TheBiasIsMeasuredOnce) {
  Timer timer;
  const Latency bias = timer.bias();
  if (bias.count() == 0) GTEST_SKIP() << "the GPU is too busy, or the program too slow, to measure it";
  EXPECT_LT(bias.count(), 20'000.0);
  EXPECT_EQ(timer.bias(), bias);
  EXPECT_EQ(Timer().bias(), bias) << "it is the device's, not the timer's";
}

TEST_F(TimerTest, EveryDeviceHasItsOwnEvents) {
  if (device_count() < 2) GTEST_SKIP() << "one GPU";
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  for (int device = 0; device < device_count(); ++device) {
    ASSERT_EQ(cudaSetDevice(device), cudaSuccess);
    cudaStream_t on = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&on, cudaStreamNonBlocking), cudaSuccess);
    launch_queued(timer, op, on, 20);
    // The device of the stream matters, not the current device.
    ASSERT_TRUE(timer.drain());
    ASSERT_EQ(cudaStreamDestroy(on), cudaSuccess);
  }
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.timed, 20u * static_cast<unsigned>(device_count()));
  EXPECT_EQ(c.dropped, 0u);
  expect_adds_up(c);
}

static_assert(std::is_nothrow_move_constructible_v<Launch> && std::is_nothrow_move_assignable_v<Launch>);
static_assert(!std::is_copy_constructible_v<Launch> && !std::is_copy_assignable_v<Launch>);

TEST_F(TimerTest, ALaunchHandsBackItsStream) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  auto one = timer.launch(op, {8}, stream);
  EXPECT_EQ(one.stream(), stream);
  one.check(launch_spin(20 * us, nullptr, one.stream()));
}

TEST_F(TimerTest, AMovedLaunchIsTimedOnce) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  plug(stream);
  {
    auto begun = timer.launch(op, {8}, stream);
    ASSERT_TRUE(begun.timed());
    auto ended = std::move(begun);
    EXPECT_FALSE(begun.timed());  // NOLINT(bugprone-use-after-move): what it promises
    EXPECT_TRUE(ended.timed());
    ended.check(launch_spin(20 * us, nullptr, ended.stream()));
    // Assigning another launch ends this one.
    ended = timer.launch(op, {8}, stream);
    EXPECT_EQ(timer.counters().timed, 1u);
    ended.check(launch_spin(20 * us, nullptr, ended.stream()));
  }
  EXPECT_EQ(timer.counters().timed, 2u);
  ASSERT_TRUE(timer.drain());
  expect_adds_up(timer.counters());
}

TEST_F(TimerTest, ACancelledLaunchIsNotTimedAndItsVariantStaysInUse) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  {
    auto one = timer.launch(op, {8}, stream);
    ASSERT_TRUE(one.timed());
    one.cancel();
    EXPECT_FALSE(one.timed());
    one.cancel();
  }
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.cancelled, 1u);
  EXPECT_EQ(c.timed, 0u);
  EXPECT_EQ(c.failed, 0u);
  EXPECT_EQ(op.counters().failures, 0u);
  EXPECT_TRUE(op.explain({8}).candidates.at(0).available);
}

TEST_F(TimerTest, WarnsOnceOfASelectorThatWasMadeForTheHost) {
  std::vector<std::string> lines;
  TimerOptions logged;
  logged.log = [&](LogLevel level, std::string_view line) {
    if (level == LogLevel::warning) lines.emplace_back(line);
  };
  Timer timer(logged);
  Selector on_gpu({.device = cuda::device(), .use_environment = false});
  launch(timer, on_gpu.define(operation({"a"})), stream);
  EXPECT_TRUE(lines.empty());
  Selector on_host({.device = host_device(), .use_environment = false});
  Operation& op = on_host.define(operation({"a"}));
  for (int i = 0; i < 3; ++i) launch(timer, op, stream);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines.front().find("adaptive::cuda::device()"), std::string::npos) << lines.front();
  ASSERT_TRUE(timer.drain());
}

}  // namespace
}  // namespace adaptive::cuda::test
