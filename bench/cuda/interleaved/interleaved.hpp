#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda_family.hpp"

// Times launches for the benchmarks of whole families.

namespace adaptive::bench {

/// Captures successive launches of a variant as a graph of about a millisecond, so that no host work and no
/// event comes between them. The variants take turns in random order, and the median of the samples is
/// reported. Variants that cannot be captured are launched one by one. Every variant is compared with the
/// problem's reference before it is timed.
class Interleaved {
 public:
  struct Options {
    int samples = 7;
    double prune =
        4;  ///< a variant whose first launch takes longer than this multiple of the best is not sampled again
  };

  Interleaved(Options options, cudaStream_t stream);
  ~Interleaved();

  /// Adds a variant; `name` is the name of its result. The problem must live until the medians are taken. If
  /// the output is wrong, the variant is reported on stderr, counted, and not timed.
  void add(const std::string& name, const kernels::cuda::Family& family, kernels::cuda::Problem& problem,
           std::size_t variant);

  /// Adds launches that are not compared with a reference and not with the best variant, but always sampled.
  /// `launch` returns whether one was enqueued on the stream.
  void add(const std::string& name, std::function<bool()> launch);

  /// Returns the microseconds per launch, by name, of all variants that were added, and removes these
  /// variants.
  std::map<std::string, double> medians();

  int wrong() const noexcept { return wrong_; }

 private:
  class Repeated;
  struct Entry {
    std::string name;
    std::unique_ptr<Repeated> launches;
    bool is_variant;
  };
  Options options_;
  cudaStream_t stream_;
  std::vector<Entry> entries_;
  int wrong_ = 0;
};

}  // namespace adaptive::bench
