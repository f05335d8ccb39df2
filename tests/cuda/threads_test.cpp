// Many threads launch on few streams: every launch is accounted for, and no pair of events is lost.
#include <atomic>
#include <thread>

#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

using TimerThreads = TimerTest;

TEST_F(TimerThreads, EveryLaunchIsAccountedFor) {
  constexpr int threads = 8;
  constexpr int per_thread = 12'500;
  Selector selector(options());
  Operation& op = selector.define(operation({"a", "b"}));
  const auto always = selector_timed();
  Operation& timed = always->define(operation({"a"}));
  std::vector<cudaStream_t> on;
  for (int i = 0; i < 4; ++i) on.push_back(make_stream());
  Timer timer;
  timer.bias();
  std::atomic<int> failed{0};
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      for (int i = 0; i < per_thread; ++i) {
        const cudaStream_t to = on[static_cast<std::size_t>(t + i) % on.size()];
        auto one = timer.launch(i % 4 == 0 ? timed : op, {8 << (i % 3)}, to);
        if (one.check(launch_spin(1, nullptr, to)) != cudaSuccess) ++failed;
      }
    });
  for (std::thread& thread : all) thread.join();
  EXPECT_EQ(failed, 0);
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.pending, 0u);
  EXPECT_EQ(c.lost, 0u);
  // A decision that meets another one for the same key does not wait, and is not timed.
  EXPECT_GE(c.timed + c.dropped + timed.counters().contended, threads * per_thread / 4u);
  EXPECT_EQ(c.timed + c.dropped, op.counters().timed + timed.counters().timed);
  EXPECT_LE(op.counters().results + timed.counters().results, c.recorded);
  expect_adds_up(c);

  // Every pair has been returned: the maximum number can be pending again.
  Timer second({.pending_max = 1024});
  plug(stream, 50'000 * us);
  for (int i = 0; i < 1024; ++i) {
    auto one = second.launch(timed, {8}, stream);
    one.check(launch_spin(1, nullptr, stream));
  }
  EXPECT_EQ(second.counters().timed, 1024u);
  EXPECT_EQ(second.counters().dropped, 0u);
  ASSERT_TRUE(second.drain());
}

TEST_F(TimerThreads, AThreadThatHasNotTouchedTheGpuYetMayLaunch) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  std::thread([&] {
    for (int i = 0; i < 5; ++i) launch(timer, op, stream);
    for (int i = 0; i < 5; ++i) launch(timer, op, cudaStreamPerThread);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  }).join();
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().timed, 10u);
}

TEST_F(TimerThreads, OneMayDrainWhileOthersLaunch) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  std::atomic<bool> stop{false};
  std::thread launcher([&] {
    while (!stop) launch(timer, op, stream);
  });
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(timer.drain());
  stop = true;
  launcher.join();
  EXPECT_TRUE(timer.drain());
  expect_adds_up(timer.counters());
}

}  // namespace
}  // namespace adaptive::cuda::test
