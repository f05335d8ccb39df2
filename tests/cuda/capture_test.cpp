// Tests captures: launches in a capture are pins, and timing on other streams does not break the capture.
#include <atomic>
#include <thread>

#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

class TimerCapture : public TimerTest {
 protected:
  void begin(cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal) {
    ASSERT_EQ(cudaStreamBeginCapture(stream, mode), cudaSuccess);
  }
  /// The number of nodes.
  std::size_t end() {
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    if (graph == nullptr) return 0;
    std::size_t nodes = 0;
    EXPECT_EQ(cudaGraphGetNodes(graph, nullptr, &nodes), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
    return nodes;
  }
};

TEST_F(TimerCapture, ALaunchInsideIsAPin) {
  Selector selector(options_with<RoundRobin>());
  Operation& op = selector.define(operation({"a", "b", "c"}));
  Timer timer;
  launch(timer, op, stream);  // loads the kernel
  const std::uint64_t consulted = op.counters().consulted;
  begin();
  Pin pin;
  for (int i = 0; i < 10; ++i) {
    auto one = timer.launch(op, {8}, stream);
    EXPECT_TRUE(one.captured());
    EXPECT_FALSE(one.timed());
    EXPECT_EQ(one.variant(), 0u) << "the incumbent, whatever the policy would try";
    pin = one.pin();
    one.check(launch_spin(10 * us, nullptr, stream));
  }
  EXPECT_EQ(end(), 10u) << "kernels and nothing else";
  EXPECT_EQ(op.counters().consulted, consulted);
  EXPECT_EQ(timer.counters().captured, 10u);
  EXPECT_FALSE(pin.stale());
  op.fail(pin.decision());
  EXPECT_TRUE(pin.stale());
}

TEST_F(TimerCapture, ASiteInsideIsAPinToo) {
  Selector selector(options_with<RoundRobin>());
  Operation& op = selector.define(operation({"a", "b"}));
  const Site site = op.site({8});
  Timer timer;
  begin();
  EXPECT_TRUE(timer.launch(site, stream).captured());
  EXPECT_EQ(end(), 0u);
}

TEST_F(TimerCapture, ALaunchThatFailsInsideSetsItsVariantAside) {
  Selector selector(options());
  Operation& op = selector.define(operation({"a", "b"}));
  Timer timer;
  begin(cudaStreamCaptureModeThreadLocal);
  timer.launch(op, {8}, stream).check(cudaErrorInvalidConfiguration);
  EXPECT_EQ(timer.launch(op, {8}, stream).variant(), 1u);
  end();
  EXPECT_EQ(op.counters().failures, 1u);
}

TEST_F(TimerCapture, IsNotBrokenByLaunchesAndPollsOfTheSameThread) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  const cudaStream_t other = make_stream();
  plug(other);
  for (int i = 0; i < 10; ++i) launch(timer, op, other);
  begin();
  launch(timer, op, stream);
  plug(other, 100 * us);
  launch(timer, op, other);
  timer.poll();
  for (int i = 0; i < 100; ++i) launch(timer, op, other);
  timer.bias();
  EXPECT_EQ(end(), 1u);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().lost, 0u);
  expect_adds_up(timer.counters());
}

TEST_F(TimerCapture, IsNotBrokenByAnotherThread) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer({.pending_max = 64});
  timer.bias();
  std::atomic<bool> stop{false};
  const cudaStream_t other = make_stream();
  launch(timer, op, other);
  std::thread launcher([&] {
    while (!stop) {
      launch(timer, op, other);  // grows the pool, records, polls
      timer.poll();
    }
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  });
  for (int i = 0; i < 200; ++i) {
    begin();
    launch(timer, op, stream);
    launch(timer, op, stream);
    EXPECT_EQ(end(), 2u);
  }
  stop = true;
  launcher.join();
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().captured, 400u);
  EXPECT_EQ(timer.counters().lost, 0u);
}

TEST_F(TimerCapture, BegunInsideALaunchLeavesTheSampleOut) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer;
  {
    auto one = timer.launch(op, {8}, stream);
    EXPECT_TRUE(one.timed());
    begin(cudaStreamCaptureModeThreadLocal);
  }
  EXPECT_EQ(end(), 0u) << "no event of ours";
  EXPECT_EQ(timer.counters().dropped, 1u);
}

}  // namespace
}  // namespace adaptive::cuda::test
