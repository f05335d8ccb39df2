// Tests kernel records: sums over launches, graphs, and the behaviour without CUPTI.
#include <array>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "cuda/cupti/session.hpp"
#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

class CuptiTest : public TimerTest {
 protected:
  void SetUp() override {
    TimerTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    Log log;
    const Timer timer({.timing = Timing::cupti, .log = log.callback()});
    if (timer.timing() != Timing::cupti) GTEST_SKIP() << log.text();
  }
};

TEST_F(CuptiTest, ReadsTheKernelsTime) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer(Timing::cupti);
  for (int i = 0; i < 100; ++i) launch(timer, op, stream);
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.timed, 100u);
  EXPECT_EQ(c.recorded, 100u);
  EXPECT_EQ(op.counters().results, 100u);
  expect_adds_up(c);
  const double location = op.explain({8}).candidates.at(0).location_ns;
  EXPECT_GT(location, 0.9 * static_cast<double>(spin_ns(0)));
  EXPECT_LT(location, 2.0 * static_cast<double>(spin_ns(0)));
  EXPECT_EQ(timer.bias().count(), 0.0);
}

TEST_F(CuptiTest, SumsTheKernelsOfALaunch) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer(Timing::cupti);
  for (int i = 0; i < 20; ++i) {
    auto one = timer.launch(op, {8}, stream);
    for (int k = 0; k < 5; ++k) one.check(launch_spin(20 * us, nullptr, stream));
  }
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().recorded, 20u);
  EXPECT_GT(op.explain({8}).candidates.at(0).location_ns, 0.9 * 5 * 20 * us);
}

TEST_F(CuptiTest, ADrainLeavesALaunchAloneThatAnotherThreadHasOpen) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer(Timing::cupti);
  for (int round = 0; round < 20; ++round) {
    std::latch open(1);
    std::latch drained(1);
    std::thread other([&] {
      auto one = timer.launch(op, {8}, stream);
      one.check(launch_spin(20 * us, nullptr, stream));
      open.count_down();
      drained.wait();
    });
    open.wait();
    EXPECT_TRUE(timer.drain());
    drained.count_down();
    other.join();
  }
  ASSERT_TRUE(timer.drain());
  const TimerCounters c = timer.counters();
  EXPECT_EQ(c.recorded, 20u);
  EXPECT_EQ(c.lost, 0u);
  EXPECT_EQ(op.counters().results, 20u);
  expect_adds_up(c);
}

TEST_F(CuptiTest, RecordsArriveByThemselves) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  Timer timer(Timing::cupti);
  launch(timer, op, stream);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  for (int i = 0; i < 500 && timer.counters().recorded == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(timer.counters().recorded, 1u);
}

TEST_F(CuptiTest, ThreadsAreToldApart) {
  Selector selector(options_with<Steady>());
  Timer timer(Timing::cupti);
  std::vector<std::thread> threads;
  std::vector<Operation*> ops;
  for (int t = 0; t < 4; ++t) ops.push_back(&selector.define(operation({"a"}, "op" + std::to_string(t))));
  for (std::size_t t = 0; t < ops.size(); ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        auto one = timer.launch(*ops[t], {8}, stream);
        one.check(launch_spin(10 * us * (t + 1), nullptr, stream));
      }
    });
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().recorded + timer.counters().dropped, 800u);
  EXPECT_EQ(timer.counters().lost, 0u);
  for (std::size_t t = 0; t < ops.size(); ++t) {
    const double location = ops[t]->explain({8}).candidates.at(0).location_ns;
    EXPECT_GT(location, 9'500.0 * static_cast<double>(t + 1));
    EXPECT_LT(location, 15'000.0 * static_cast<double>(t + 1));
  }
}

TEST_F(CuptiTest, AFailedLaunchHasNoLatency) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a", "b"}));
  Timer timer(Timing::cupti);
  {
    auto one = timer.launch(op, {8}, stream);
    EXPECT_EQ(launch_spin(1, nullptr, stream), cudaSuccess);
    one.check(cudaErrorInvalidConfiguration);
  }
  for (int i = 0; i < 10; ++i) launch(timer, op, stream);
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().recorded, 10u);
  EXPECT_EQ(op.explain({8}).candidates.at(0).count, 0u);
  EXPECT_EQ(op.explain({8}).candidates.at(1).count, 10u);
}

// Keeps the latencies that it receives.
class Sink final : public GraphRecordSink {
 public:
  void replayed(std::uint64_t, std::uint32_t) noexcept override {}
  void receive(std::uint64_t tag, std::uint32_t, Latency latency) noexcept override {
    const std::lock_guard lock(mutex_);
    if (tag == 1) ns_.push_back(latency.count());
  }
  std::vector<double> received() const {
    const std::lock_guard lock(mutex_);
    return ns_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<double> ns_;
};

TEST_F(CuptiTest, KernelsOfReplayedGraphsAreAttributed) {
  Sink sink;
  Timer timer(Timing::cupti);
  CuptiSession* const session = CuptiSession::current();
  ASSERT_NE(session, nullptr);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  for (const std::uint64_t ns : {10 * us, 30 * us, 50 * us})
    ASSERT_EQ(launch_spin(ns, nullptr, stream), cudaSuccess);
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  std::array<cudaGraphNode_t, 3> nodes{};
  std::size_t count = nodes.size();
  ASSERT_EQ(cudaGraphGetNodes(graph, nodes.data(), &count), cudaSuccess);
  // The first two nodes are one launch; the last one does not belong to a launch.
  const std::array ids = {session->graph_node_id(nodes[0]), session->graph_node_id(nodes[1])};
  ASSERT_NE(ids[0], 0u);
  const auto handle = session->graph_nodes.add(ids, sink, 1);
  std::array<cudaGraphExec_t, 2> executables{};
  for (cudaGraphExec_t& one : executables) ASSERT_EQ(cudaGraphInstantiate(&one, graph, 0), cudaSuccess);
  for (int i = 0; i < 10; ++i)
    for (cudaGraphExec_t one : executables) ASSERT_EQ(cudaGraphLaunch(one, stream), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  for (int i = 0; i < 200 && session->graph_nodes.counters().recorded < 20; ++i) {
    timer.poll();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(session->graph_nodes.counters().recorded, 20u);
  EXPECT_EQ(sink.received().size(), 20u);
  for (const double ns : sink.received()) {
    EXPECT_GT(ns, 38'000.0);
    EXPECT_LT(ns, 60'000.0);
  }
  session->graph_nodes.remove(handle);
  for (cudaGraphExec_t one : executables) EXPECT_EQ(cudaGraphExecDestroy(one), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
}

TEST_F(CuptiTest, IsGivenUpWithTheLastTimer) {
  {
    Timer first(Timing::cupti);
    Timer second(Timing::cupti);
    EXPECT_NE(CuptiSession::current(), nullptr);
  }
  EXPECT_EQ(CuptiSession::current(), nullptr);
  Timer again(Timing::cupti);
  EXPECT_EQ(again.timing(), Timing::cupti);
}

TEST_F(CuptiTest, ATimerMayEndWithRecordsPending) {
  const auto selector = selector_timed();
  Operation& op = selector->define(operation({"a"}));
  for (int round = 0; round < 5; ++round) {
    Timer timer(Timing::cupti);
    plug(stream);
    for (int i = 0; i < 50; ++i) launch(timer, op, stream);
  }
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  Timer timer(Timing::cupti);
  for (int i = 0; i < 50; ++i) launch(timer, op, stream);
  ASSERT_TRUE(timer.drain());
  EXPECT_EQ(timer.counters().recorded, 50u);
}

}  // namespace
}  // namespace adaptive::cuda::test
