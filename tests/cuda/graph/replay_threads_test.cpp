// Tests many graphs that are updated and replayed by several threads at the same time.
#include <atomic>
#include <optional>
#include <random>
#include <thread>

#include "tests/cuda/graph/other_capture.hpp"
#include "tests/cuda/graph/replay_fixture.hpp"
#include "tests/cuda/instrumented.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

constexpr int threads = 4;
constexpr int graphs_each = 25;
constexpr int updates_each = 2500;

// One captured launch that marks a buffer of its own.
struct Replayed {
  Operation* op = nullptr;
  int* out = nullptr;
  int id = 0;
  std::unique_ptr<TrackedGraph> tracked = {};
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
};

TEST(ReplayThreads, TenThousandUpdatesOfAHundredExecutables) {
  if (device_count() == 0) GTEST_SKIP() << "no GPU";
  auto with = options_with<RoundRobin>();
  with.device = device();
  Selector selector(std::move(with));
  Timer timer;
  int* memory = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, sizeof(int) * threads * graphs_each), cudaSuccess);
  std::vector<std::vector<Replayed>> all(threads);
  for (int t = 0; t < threads; ++t)
    for (int g = 0; g < graphs_each; ++g) {
      const int id = t * graphs_each + g;
      all[static_cast<std::size_t>(t)].push_back(
          {.op = &selector.define(operation({"a", "b", "c", "d"}, "op" + std::to_string(id))),
           .out = memory + id,
           .id = id,
           .tracked = std::make_unique<TrackedGraph>(timer, ReplayOptions{.executables_max = 2})});
    }
  std::atomic<int> updates{0};
  std::atomic<int> wrong{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> workers;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      cudaStream_t stream = nullptr;
      int* seen = nullptr;
      if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess ||
          cudaMallocHost(&seen, sizeof(int)) != cudaSuccess) {
        ++failed;
        return;
      }
      std::vector<Replayed>& mine = all[static_cast<std::size_t>(t)];
      const auto fine = [&](cudaError_t status) { failed += status == cudaSuccess ? 0 : 1; };
      for (Replayed& one : mine) {
        fine(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
        fine(one.tracked->launch(*one.op, {8}, stream,
                                 [out = one.out, id = one.id](std::uint32_t v, cudaStream_t s) {
                                   return mark(v, out, 1, id, s);
                                 }));
        fine(cudaStreamEndCapture(stream, &one.graph));
        fine(cudaGraphInstantiate(&one.exec, one.graph, 0));
      }
      for (int i = 0; i < updates_each; ++i) {
        Replayed& one = mine[random() % mine.size()];
        const std::uint32_t variant = random() % 4;
        {
          const Forced forced = one.op->force(one.op->variant(variant).name);
          fine(cudaMemsetAsync(one.out, 0xFF, sizeof(int), stream));
          fine(one.tracked->replay(one.exec, stream));
          fine(cudaMemcpyAsync(seen, one.out, sizeof(int), cudaMemcpyDeviceToHost, stream));
          fine(cudaStreamSynchronize(stream));
          ++updates;
          if (*seen != marked(one.id, variant)) ++wrong;
        }
        // Without the force, a replay may look at any variant.
        fine(one.tracked->replay(one.exec, stream));
        fine(cudaMemcpyAsync(seen, one.out, sizeof(int), cudaMemcpyDeviceToHost, stream));
        fine(cudaStreamSynchronize(stream));
        bool some = false;
        for (std::uint32_t v = 0; v < 4; ++v) some = some || *seen == marked(one.id, v);
        if (!some) ++wrong;
      }
      fine(cudaFreeHost(seen));
      fine(cudaStreamDestroy(stream));
    });
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(updates, threads * updates_each);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(failed, 0);
  std::uint64_t recorded = 0;
  for (std::vector<Replayed>& mine : all)
    for (Replayed& one : mine) {
      one.tracked->poll();
      const ReplayCounters c = one.tracked->replay_counters();
      EXPECT_EQ(c.asked, c.looks + c.dropped + c.waiting);
      EXPECT_EQ(c.looks, c.recorded + c.lost + c.pending);
      EXPECT_EQ(c.lost, 0u);
      EXPECT_EQ(c.pending, 0u);
      recorded += c.recorded;
      one.tracked.reset();
      EXPECT_EQ(cudaGraphExecDestroy(one.exec), cudaSuccess);
      EXPECT_EQ(cudaGraphDestroy(one.graph), cudaSuccess);
    }
  EXPECT_TRUE(recorded > 0 || instrumented());
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

// The strictest mode, in which an unsafe call of any thread breaks the capture.
TEST(ReplayThreads, DisturbNoCaptureOfAnotherThread) {
  if (device_count() == 0) GTEST_SKIP() << "no GPU";
  auto with = options_with<RoundRobin>();
  with.device = device();
  Selector selector(std::move(with));
  Operation& op = selector.define(operation({"a", "b", "c"}));
  Timer timer;
  TrackedGraph tracked(timer);
  int* memory = nullptr;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  ASSERT_EQ(cudaMalloc(&memory, sizeof(int) * 2), cudaSuccess);
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  // Variant c has other nodes, so that executables are made while the other thread captures.
  tracked.launch(op, {8}, stream, [memory](std::uint32_t v, cudaStream_t s) {
    if (v == 2) mark(0, memory, 1, 1, s);
    return mark(v, memory, 1, 1, s);
  });
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  // The kernels are loaded and the meter has measured before.
  for (std::uint32_t v = 0; v < 3; ++v) ASSERT_EQ(mark(v, memory, 1, 1, stream), cudaSuccess);
  for (int i = 0; i < 200 && tracked.replay_counters().recorded == 0; ++i) {
    ASSERT_EQ(tracked.replay(exec, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  }
  OtherCapture other(cudaStreamNonBlocking, [memory](cudaStream_t s) { mark(0, memory + 1, 1, 9, s); });
  for (int i = 0; i < 200; ++i) EXPECT_EQ(tracked.replay(exec, stream), cudaSuccess);
  other.expect_undisturbed();
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  tracked.clear();
  EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
}

}  // namespace
}  // namespace adaptive::cuda::test
