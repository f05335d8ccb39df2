// The loop that resembles decoding, and the measurements before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <adaptive/cuda/replay.hpp>
#include <adaptive/cuda/timer.hpp>
#include <adaptive/cuda/tracked_graph.hpp>
#include <adaptive/selector.hpp>

#include "breakdown.hpp"
#include "kernels/cuda_family.hpp"
#include "options.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::loop_bench {

/// One projection with its own weights.
struct Site {
  kernels::Shape shape = {};
  std::unique_ptr<kernels::cuda::Problem> problem = {};
  std::vector<std::size_t> candidates =
      {};                                ///< indices in the family; the library's first choice comes first
  std::vector<double> location_us = {};  ///< of each candidate, within the loop
  std::size_t best = 0;                  ///< index in `candidates`
  std::size_t wrong = 0;                 ///< number of candidates left out because prepare() failed for them
};

/// The host's time in calls that should not wait for anything.
struct HostTime {
  double total_s = 0;
  double longest_s = 0;
  std::uint64_t stalls = 0;  ///< calls that took more than a millisecond
  void add(double seconds) {
    total_s += seconds;
    longest_s = std::max(longest_s, seconds);
    if (seconds > 1e-3) ++stalls;
  }
};

/// The result of one loop.
struct Outcome {
  double seconds = 0;
  std::uint64_t launches_failed = 0;
  // Only for adaptive modes.
  cuda::TimerCounters timer = {};
  double timed_share = 0;  ///< share of the launches in the second half of the loop
  double explored_share = 0;
  std::uint64_t promotions = 0;
  cuda::ReplayCounters replays = {};
  HostTime host = {};  ///< of the calls of TrackedGraph::replay
  Breakdown breakdown = {};
  std::vector<std::string> missed =
      {};                          ///< of each shape that does not end with its best: what is known of it
  std::size_t ends_with_best = 0;  ///< number of shapes whose incumbent or leader is within 1 % of the best
};

class Runner {
 public:
  /// Creates the problems and loads every candidate. Throws std::runtime_error.
  explicit Runner(const Options& options);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  /// Measures the time that an event pair around a launch adds to a full stream.
  void measure_timing_cost();

  /// Finds the best candidate of each shape by running every candidate within the loop, interleaved.
  void calibrate();

  Outcome first_choice();
  Outcome best();
  Outcome adaptive(const std::string& seeds);

  /// The same with the projections as one captured graph, which is replayed.
  Outcome graph_first_choice();
  Outcome graph_best();
  Outcome graph_adaptive(const std::string& seeds);

  const std::vector<Site>& sites() const noexcept { return sites_; }
  const kernels::cuda::Family& family() const noexcept { return family_; }
  double loading_s() const noexcept { return loading_s_; }
  double asking_s() const noexcept { return asking_s_; }
  double timing_cost_us() const noexcept { return timing_cost_us_; }

 private:
  Outcome fixed(const std::function<std::size_t(const Site&)>& variant);
  Outcome graph_fixed(const std::function<std::size_t(const Site&)>& variant);
  /// Of the adaptive loops: with the table `seeds`, or without any if it is empty.
  SelectorOptions options_with(const std::string& seeds) const;
  std::vector<Key> keys_of_sites() const;
  std::size_t capture(const tuning::CudaOperation& gemm, const std::vector<Key>& keys,
                      cuda::TrackedGraph& tracked) const;
  std::size_t count_best(const std::function<std::string(std::size_t site)>& ended_with) const;
  bool is_best(const Site& site, const std::string& name) const;
  double beyond_best(Operation& operation, const std::vector<Key>& keys) const;
  std::vector<std::string> missed(const Operation& operation, const std::vector<Key>& keys) const;

  const Options& options_;
  const kernels::cuda::Family& family_;
  cudaStream_t stream_ = nullptr;
  std::vector<Site> sites_;
  double asking_s_ = 0, loading_s_ = 0, timing_cost_us_ = 0;
};

}  // namespace adaptive::loop_bench
