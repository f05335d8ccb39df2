// A captured graph of launches that take a known time and mark a buffer, replayed by a TrackedGraph that
// learns.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/cuda.hpp>
#include "tests/cuda/graph/kernels.hpp"
#include "tests/cuda/instrumented.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda::test {

using namespace adaptive::test;

constexpr unsigned long long replay_us = 1000;

/// Variants 0 and 1 are a timed kernel and a mark. Variant 2 marks twice, so that it has other nodes. Variant
/// 3 marks in clusters (compute capability 9).
class ReplayGpuTest : public testing::Test {
 protected:
  static constexpr int launches_max = 16;
  static constexpr int length = 257;

  void SetUp() override {
    if (device_count() == 0) GTEST_SKIP() << "no GPU";
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&marks, sizeof(int) * length * launches_max), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&told_ns, sizeof(unsigned long long) * variants_max * launches_max), cudaSuccess);
    for (int launch = 0; launch < launches_max; ++launch)
      for (std::uint32_t v = 0; v < variants_max; ++v) tell(launch, v, (20 + 10 * v) * replay_us);
    // Everything is loaded before it is captured.
    for (std::uint32_t v = 0; v < variants; ++v) ASSERT_EQ(body(0, v, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    ASSERT_EQ(cudaGetLastError(), cudaSuccess);
    if (instrumented() && !times_replays()) GTEST_SKIP() << "this tool keeps replays from being timed";
  }

  /// Whether replays have latencies here, which takes some milliseconds at the first question.
  bool times_replays() {
    static const bool they_have = [this] {
      define(options_with<RoundRobin>());
      capture(1);
      for (int i = 0; i < 100 && tracked->replay_counters().recorded == 0; ++i) replay(10);
      const bool some = tracked->replay_counters().recorded > 0;
      drop();
      return some;
    }();
    return they_have;
  }

  void TearDown() override {
    if (stream == nullptr) return;
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    drop();
    timer.reset();
    cudaFree(marks);
    cudaFree(told_ns);
    cudaStreamDestroy(stream);
  }

  void tell(int launch, std::uint32_t variant, unsigned long long ns) const {
    ASSERT_EQ(cudaMemcpy(told(launch, variant), &ns, sizeof ns, cudaMemcpyHostToDevice), cudaSuccess);
  }
  unsigned long long* told(int launch, std::uint32_t variant) const {
    return told_ns + static_cast<std::ptrdiff_t>(launch) * variants_max + variant;
  }
  int* buffer(int launch) const { return marks + static_cast<std::ptrdiff_t>(launch) * length; }
  static Key key(int launch) { return {std::int64_t{launch} + 1}; }

  cudaError_t body(int launch, std::uint32_t variant, cudaStream_t on) const {
    cudaError_t status = spin_as_told(variant, told(launch, variant), on);
    if (status != cudaSuccess) return status;
    if (variant == 3) return mark_in_clusters(variant, buffer(launch), length, launch, on);
    if (variant == 2) status = mark(0, buffer(launch), length, launch, on);
    if (status != cudaSuccess) return status;
    return mark(variant, buffer(launch), length, launch, on);
  }

  void define(SelectorOptions options, Timing timing = Timing::events, ReplayOptions replay_options = {}) {
    drop();
    options.device = device();
    options.background = true;
    selector = std::make_unique<Selector>(std::move(options));
    std::vector<std::string> names;
    for (std::uint32_t v = 0; v < variants; ++v) names.push_back(std::string(1, static_cast<char>('a' + v)));
    op = &selector->define(adaptive::test::operation(names));
    timer = std::make_unique<Timer>(timing);
    tracked = std::make_unique<TrackedGraph>(*timer, replay_options);
  }

  void capture(int count) {
    launches = count;
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    for (int launch = 0; launch < count; ++launch)
      ASSERT_EQ(
          tracked->launch(*op, key(launch), stream,
                          [this, launch](std::uint32_t v, cudaStream_t s) { return body(launch, v, s); }),
          cudaSuccess);
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  }

  /// Replays, and waits now and then, as a program does that reads its results.
  void replay(int replays, int ahead = 2) {
    for (int i = 0; i < replays; ++i) {
      ASSERT_EQ(tracked->replay(exec, stream), cudaSuccess);
      if (i % ahead == 0) {
        ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      }
    }
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    timer->poll();
    tracked->poll();
  }

  /// The variant that has marked the whole buffer; -1 if it is none.
  int ran(int launch) const {
    std::vector<int> host(length);
    EXPECT_EQ(cudaMemcpy(host.data(), buffer(launch), sizeof(int) * length, cudaMemcpyDeviceToHost),
              cudaSuccess);
    for (const int v : host)
      if (v != host.front()) return -1;
    for (std::uint32_t v = 0; v < variants; ++v)
      if (host.front() == marked(launch, v)) return static_cast<int>(v);
    return -1;
  }
  void poison() const {
    ASSERT_EQ(cudaMemsetAsync(marks, 0xFF, sizeof(int) * length * launches_max, stream), cudaSuccess);
  }

  static bool has_clusters() { return std::stod(device().libraries.at("compute_capability")) >= 9; }

  void expect_adds_up() const {
    const ReplayCounters c = tracked->replay_counters();
    EXPECT_EQ(c.asked, c.looks + c.dropped + c.waiting);
    EXPECT_EQ(c.looks, c.recorded + c.lost + c.pending);
  }
  void drop() {
    tracked.reset();
    if (exec != nullptr) cudaGraphExecDestroy(std::exchange(exec, nullptr));
    if (graph != nullptr) cudaGraphDestroy(std::exchange(graph, nullptr));
  }
  Explanation::Candidate result(int launch, std::uint32_t variant) const {
    return op->explain(key(launch)).candidates.at(variant);
  }

  std::uint32_t variants = 2;
  int launches = 0;
  cudaStream_t stream = nullptr;
  int* marks = nullptr;
  unsigned long long* told_ns = nullptr;
  std::unique_ptr<Selector> selector;
  Operation* op = nullptr;
  std::unique_ptr<Timer> timer;
  std::unique_ptr<TrackedGraph> tracked;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
};

}  // namespace adaptive::cuda::test
