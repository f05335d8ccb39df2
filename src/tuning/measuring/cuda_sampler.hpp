// Latencies of launches on a stream. Only in builds with CUDA.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <adaptive/cuda/timer.hpp>

#include "tuning/measuring/sampling.hpp"

namespace adaptive::tuning {

/// Throws std::runtime_error with CUDA's words.
void check_cuda(cudaError_t status, const char* what);

/// On a stream of its own, of the device that is current. Throws std::runtime_error where the device fails.
class CudaSampler {
 public:
  /// Enqueues one launch of a candidate.
  using Launch = std::function<void(std::size_t candidate, cudaStream_t stream)>;

  CudaSampler(const SamplingOptions& options, Launch launch);
  CudaSampler(const CudaSampler&) = delete;
  CudaSampler& operator=(const CudaSampler&) = delete;
  ~CudaSampler();

  cudaStream_t stream() const noexcept;

  /// In µs, of each of `order`: all are enqueued before any is waited for.
  std::vector<double> sample(const std::vector<std::size_t>& order);

  /// In µs, of a single launch on an idle stream; its own launch is part of that.
  double first_launch(std::size_t candidate);

  /// That a sample is the mean of: known once there was one.
  int launches() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::tuning
