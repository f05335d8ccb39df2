// Streams, and launches that take a known time.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <adaptive/cuda.hpp>
#include "cuda/bias/spin.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda::test {

using namespace adaptive::test;

constexpr std::uint64_t us = 1000;

/// The duration of a variant's kernel; later variants take longer.
inline std::uint64_t spin_ns(std::uint32_t variant) {
  return 20 * us * (variant + 1);
}

class TimerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (device_count() == 0) GTEST_SKIP() << "no GPU";
    stream = make_stream();
    ASSERT_EQ(cudaGetLastError(), cudaSuccess);
  }

  void TearDown() override {
    if (stream == nullptr) return;
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    for (cudaStream_t one : streams_) cudaStreamDestroy(one);
  }

  cudaStream_t make_stream() {
    cudaStream_t made = nullptr;
    EXPECT_EQ(cudaStreamCreateWithFlags(&made, cudaStreamNonBlocking), cudaSuccess);
    streams_.push_back(made);
    return made;
  }

  /// A selector that times every call of its operations.
  static std::unique_ptr<Selector> selector_timed() {
    return std::make_unique<Selector>(options_with<Steady>());
  }

  /// Keeps a stream busy.
  static void plug(cudaStream_t on, std::uint64_t ns = 2000 * us) {
    ASSERT_EQ(launch_spin(ns, nullptr, on), cudaSuccess);
  }

  static void launch(Timer& timer, Operation& op, cudaStream_t on, const Key& key = {8}) {
    auto one = timer.launch(op, key, on);
    ASSERT_EQ(one.check(launch_spin(spin_ns(one.variant()), nullptr, on)), cudaSuccess);
  }

  /// Launches behind a plug, some at a time, so that the stream never becomes idle.
  static void launch_queued(Timer& timer, Operation& op, cudaStream_t on, int launches) {
    for (int i = 0; i < launches; ++i) {
      if (i % 50 == 0) plug(on);
      launch(timer, op, on);
    }
  }

  static void expect_adds_up(const TimerCounters& c) {
    EXPECT_EQ(c.timed, c.recorded + c.idle + c.queued + c.lost + c.pending);
  }

  cudaStream_t stream = nullptr;

 private:
  std::vector<cudaStream_t> streams_;
};

}  // namespace adaptive::cuda::test
