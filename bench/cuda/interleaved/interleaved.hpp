#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda_family.hpp"

// How the benchmarks of whole families time launches.

namespace adaptive::bench {

/// Launches of a variant, one after the other, are captured as a graph of about a millisecond, so that
/// neither the host nor an event stands between two of them; variants take turns in random order, and the
/// median of the samples counts. Variants that cannot be captured are launched one by one. Every variant is
/// compared with the problem's reference before it is timed.
class Interleaved {
 public:
  struct Options {
    int samples = 7;
    double prune =
        4;  ///< a variant whose first launch takes more than so many times the best is not sampled again
  };

  Interleaved(Options options, cudaStream_t stream);
  ~Interleaved();

  /// `name`: of the result. The problem has to live until the medians are taken. A wrong result is told on
  /// stderr, counted, and not timed.
  void add(const std::string& name, const kernels::cuda::Family& family, kernels::cuda::Problem& problem,
           std::size_t variant);

  /// Microseconds of a launch by name, of all that was added; nothing is kept for the next round.
  std::map<std::string, double> medians();

  int wrong() const noexcept { return wrong_; }

 private:
  class Repeated;
  struct Entry {
    std::string name;
    std::unique_ptr<Repeated> launches;
  };
  Options options_;
  cudaStream_t stream_;
  std::vector<Entry> entries_;
  int wrong_ = 0;
};

}  // namespace adaptive::bench
