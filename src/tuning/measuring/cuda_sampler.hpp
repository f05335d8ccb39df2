// Measures latencies of launches on a stream. Only in builds with CUDA.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <adaptive/cuda/timer.hpp>

#include "tuning/measuring/sampling.hpp"

namespace adaptive::inline v1::tuning {

/// Throws std::runtime_error with CUDA's message unless `status` is success.
void check_cuda(cudaError_t status, const char* what);

/// Uses a stream of its own on the current device. Members throw std::runtime_error if the device fails.
class CudaSampler {
 public:
  /// Enqueues one launch of a candidate.
  using Launch = std::function<void(std::size_t candidate, cudaStream_t stream)>;

  CudaSampler(const SamplingOptions& options, Launch launch);
  CudaSampler(const CudaSampler&) = delete;
  CudaSampler& operator=(const CudaSampler&) = delete;
  ~CudaSampler();

  cudaStream_t stream() const noexcept;

  /// Latencies in µs, in the order of `order`. All launches are enqueued before the first one is waited for.
  std::vector<double> sample(const std::vector<std::size_t>& order);

  /// Latency in µs of a single launch on an idle stream. It includes the cost of launching.
  double first_launch(std::size_t candidate);

  /// Number of launches that a sample is the mean of. Known after the first sample.
  int launches() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::tuning
