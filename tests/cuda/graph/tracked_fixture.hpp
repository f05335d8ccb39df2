// A captured graph, its executable and the memory that its launches write.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/cuda.hpp>
#include "tests/cuda/graph/kernels.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda::test {

using namespace adaptive::test;

constexpr int poison = -1;
constexpr int length = 1000;  // of one buffer; no multiple of any block

class GraphTest : public testing::Test {
 protected:
  void SetUp() override {
    if (device_count() == 0) GTEST_SKIP() << "no GPU";
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&memory, sizeof(int) * length * buffers_max), cudaSuccess);
    selector = std::make_unique<Selector>(options());
    ASSERT_EQ(cudaGetLastError(), cudaSuccess);
  }

  void TearDown() override {
    if (stream == nullptr) return;
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    tracked.clear();
    drop_graph();
    cudaFree(memory);
    cudaStreamDestroy(stream);
  }

  static bool is_hopper_or_newer() { return std::stod(device().libraries.at("compute_capability")) >= 9; }

  static constexpr int buffers_max = 32;
  int* buffer(int index) const { return memory + static_cast<std::ptrdiff_t>(index) * length; }

  Operation& operation(const std::string& name = "op", int variants = 3) {
    std::vector<std::string> names;
    for (int v = 0; v < variants; ++v) names.push_back(std::string(1, static_cast<char>('a' + v)));
    return selector->define(adaptive::test::operation(names, name));
  }

  /// Captures the work that `enqueue` puts on the stream, and instantiates it.
  void capture(const std::function<void()>& enqueue) {
    drop_graph();
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    enqueue();
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  }

  /// A launch that marks a buffer.
  cudaError_t track(Operation& op, int id, std::int64_t m = 8) {
    return tracked.launch(op, {m}, stream, [out = buffer(id), id](std::uint32_t variant, cudaStream_t s) {
      return mark(variant, out, length, id, s);
    });
  }

  void replay() {
    ASSERT_EQ(cudaMemsetAsync(memory, poison & 0xFF, sizeof(int) * length * buffers_max, stream),
              cudaSuccess);
    ASSERT_EQ(cudaGraphLaunch(exec, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  }

  /// The value with which the whole buffer is filled.
  int value(int index) const {
    std::vector<int> host(length);
    EXPECT_EQ(cudaMemcpy(host.data(), buffer(index), sizeof(int) * length, cudaMemcpyDeviceToHost),
              cudaSuccess);
    for (const int v : host)
      if (v != host.front()) return -1'000'000;
    return host.front();
  }

  /// Makes the variant with this index the incumbent, as measurements would.
  static void promote(Operation& op, std::uint32_t variant, std::int64_t m = 8) {
    std::vector<double> ns(op.variant_count(), 200'000);
    ns[variant] = 50'000;
    for (int round = 0; round < 50 && incumbent(op, {m}) != variant; ++round)
      learn(op, {m}, ns, static_cast<std::uint64_t>(round) + 1);
    ASSERT_EQ(incumbent(op, {m}), variant);
  }

  cudaStream_t stream = nullptr;
  int* memory = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  std::unique_ptr<Selector> selector;
  TrackedGraph tracked;

 private:
  void drop_graph() {
    if (exec != nullptr) cudaGraphExecDestroy(std::exchange(exec, nullptr));
    if (graph != nullptr) cudaGraphDestroy(std::exchange(graph, nullptr));
  }
};

}  // namespace adaptive::cuda::test
