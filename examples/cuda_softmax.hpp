// The kernels of the CUDA examples: the softmax of each row of a matrix, in five variants. One warp per row
// is good for many short rows, a large block per row for few long ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include <cuda_runtime.h>
#include <adaptive/adaptive.hpp>

namespace softmax {

struct Problem {
  int rows, columns;
  const float* in;
  float* out;
};

/// Threads per row, in the order of the variants. The first one is the default.
inline constexpr int threads_of_row[] = {128, 32, 256, 512, 1024};

/// Enqueues one variant asynchronously, like any kernel.
cudaError_t launch(std::uint32_t variant, const Problem& problem, cudaStream_t stream);

inline adaptive::OperationSpec operation() {
  adaptive::OperationSpec spec{.name = "row_softmax", .dimensions = {{"rows"}, {"columns"}}};
  for (const int threads : threads_of_row)
    spec.variants.push_back(
        {.name = "threads" + std::to_string(threads), .parameters = {{"threads", threads}}});
  return spec;
}

inline adaptive::Key key(const Problem& problem) {
  return {problem.rows, problem.columns};
}

inline void check(cudaError_t status) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "CUDA: %s\n", cudaGetErrorString(status));
  std::exit(1);
}

/// Two matrices on the current device.
class Memory {
 public:
  explicit Memory(std::size_t elements) {
    check(cudaMalloc(&in_, elements * sizeof(float)));
    check(cudaMalloc(&out_, elements * sizeof(float)));
    check(cudaMemset(in_, 0, elements * sizeof(float)));
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() {
    cudaFree(in_);
    cudaFree(out_);
  }
  Problem problem(int rows, int columns) const { return {rows, columns, in_, out_}; }

 private:
  float *in_ = nullptr, *out_ = nullptr;
};

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { cudaStreamDestroy(stream_); }
  operator cudaStream_t() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// A captured graph and its executable.
class Graph {
 public:
  Graph() = default;
  /// Captures the work that `enqueue()` puts on the stream.
  template <class F>
  Graph(cudaStream_t stream, F enqueue) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    enqueue();
    check(cudaStreamEndCapture(stream, &graph_));
    check(cudaGraphInstantiate(&exec_, graph_, 0));
  }
  Graph(Graph&& other) noexcept
      : graph_(std::exchange(other.graph_, nullptr)), exec_(std::exchange(other.exec_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(exec_, other.exec_);
    return *this;
  }
  ~Graph() {
    if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }
  cudaGraphExec_t exec() const { return exec_; }
  cudaError_t replay(cudaStream_t stream) const { return cudaGraphLaunch(exec_, stream); }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr;
};

}  // namespace softmax
