// A capture by another thread, in the strictest mode: an unsafe call of any thread breaks it.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <utility>

namespace adaptive::inline v1::cuda::test {

class OtherCapture {
 public:
  /// Begins it on a stream with these flags, and waits until it has begun. Each call of `enqueue` must add
  /// one node.
  OtherCapture(unsigned flags, std::function<void(cudaStream_t)> enqueue)
      : enqueue_(std::move(enqueue)), thread_([this, flags] { run(flags); }) {
    while (!capturing_) std::this_thread::yield();
  }
  OtherCapture(const OtherCapture&) = delete;
  OtherCapture& operator=(const OtherCapture&) = delete;
  ~OtherCapture() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

  /// Ends it and expects that nothing has disturbed it.
  void expect_undisturbed() {
    stop_ = true;
    thread_.join();
    EXPECT_EQ(began_, cudaSuccess);
    EXPECT_EQ(ended_, cudaSuccess);
    EXPECT_EQ(counted_, nodes_);
  }

 private:
  void run(unsigned flags) {
    cudaStream_t s = nullptr;
    cudaStreamCreateWithFlags(&s, flags);
    began_ = cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal);
    capturing_ = true;
    while (!stop_ || nodes_ < 10)
      if (nodes_ < 5000) {
        enqueue_(s);
        ++nodes_;
      }
    cudaGraph_t graph = nullptr;
    ended_ = cudaStreamEndCapture(s, &graph);
    cudaGraphGetNodes(graph, nullptr, &counted_);
    cudaGraphDestroy(graph);
    cudaStreamDestroy(s);
  }

  std::function<void(cudaStream_t)> enqueue_;
  std::atomic<bool> capturing_{false};
  std::atomic<bool> stop_{false};
  cudaError_t began_ = cudaErrorUnknown;
  cudaError_t ended_ = cudaErrorUnknown;
  std::size_t nodes_ = 0;
  std::size_t counted_ = 0;
  std::thread thread_;  // last, because it uses the others
};

}  // namespace adaptive::cuda::test
