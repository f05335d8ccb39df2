#include "bounds.hpp"

#include <algorithm>
#include <cmath>

#include <adaptive/random.hpp>
#include <adaptive/statistics.hpp>

namespace adaptive::learning_bench {
namespace {

using replay::Mean;
using replay::Recorded;

class Sight {
 public:
  explicit Sight(std::size_t variants) : sums_(variants, 0.0) { robust_.candidates.resize(variants); }

  void see(const Recorded& environment) {
    for (std::uint32_t i = 0; i < sums_.size(); ++i) {
      robust_.add(i, environment.latency_ns(i));
      sums_[i] += std::log(environment.latency_ns(i));
    }
  }
  std::uint32_t by_location() const { return robust_.leader(); }
  std::uint32_t by_mean() const {
    return static_cast<std::uint32_t>(std::min_element(sums_.begin(), sums_.end()) - sums_.begin());
  }

 private:
  KeyStatistics robust_;
  std::vector<double> sums_;  // of log latencies, with the same number for each variant
};

// Adds the loss of one run over a key, for both ways to compare, in latencies of the best variant, at the
// checkpoints.
void add_run(Recorded& environment, const std::vector<std::size_t>& checkpoints,
             std::vector<double>& by_location, std::vector<double>& by_mean) {
  Sight sight(environment.size());
  double looks = 0.0;
  for (std::uint32_t i = 0; i < environment.size(); ++i) looks += environment.gap(i);
  environment.advance();
  sight.see(environment);
  double location = looks;
  double mean = looks;
  std::size_t call = environment.size();
  for (std::size_t at = 0; at < checkpoints.size(); ++at) {
    for (; call < checkpoints[at]; ++call) {
      location += environment.gap(sight.by_location());
      mean += environment.gap(sight.by_mean());
      environment.advance();
      sight.see(environment);
    }
    by_location[at] += location / static_cast<double>(checkpoints[at]);
    by_mean[at] += mean / static_cast<double>(checkpoints[at]);
  }
}

}  // namespace

std::vector<Mean> free_sight(const std::vector<table::TraceKey>& keys, const BoundOptions& options) {
  const std::vector<std::size_t>& checkpoints = options.checkpoints;
  std::vector<Mean> by_location(checkpoints.size());
  std::vector<Mean> by_mean(checkpoints.size());
  Random random(options.seed);
  for (std::size_t run = 0; run < options.runs; ++run) {
    std::vector<double> location(checkpoints.size(), 0.0);
    std::vector<double> mean(checkpoints.size(), 0.0);
    for (const table::TraceKey& key : keys) {
      Recorded environment(key, options.order, options.truth);
      environment.restart(random());
      add_run(environment, checkpoints, location, mean);
    }
    const double share = 1.0 / static_cast<double>(keys.size());
    for (std::size_t at = 0; at < checkpoints.size(); ++at) {
      by_location[at].add(share * location[at]);
      by_mean[at].add(share * mean[at]);
    }
  }
  for (std::size_t at = 0; at < checkpoints.size(); ++at)
    if (by_mean[at].mean() < by_location[at].mean()) by_location[at] = by_mean[at];
  return by_location;
}

}  // namespace adaptive::learning_bench
