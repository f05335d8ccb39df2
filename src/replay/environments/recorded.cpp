#include "replay/environments/recorded.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace adaptive::inline v1::replay {

namespace {

// Of the first `rounds` samples. A tenth of fewer than ten is none.
double truth_of(const std::vector<double>& latency_ns, std::size_t rounds, Recorded::Truth truth) {
  std::vector<double> samples(latency_ns.begin(), latency_ns.begin() + static_cast<std::ptrdiff_t>(rounds));
  if (truth == Recorded::Truth::trimmed) {
    const std::size_t kept = rounds - rounds / 10;
    std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(kept - 1), samples.end());
    samples.resize(kept);
  }
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

}  // namespace

Recorded::Recorded(const table::TraceKey& key, Order order, Truth truth)
    : key_(key), order_(order), rounds_(std::numeric_limits<std::size_t>::max()) {
  for (const std::vector<double>& latencies : key.latency_ns) rounds_ = std::min(rounds_, latencies.size());
  std::vector<double> means;
  for (const std::vector<double>& latencies : key.latency_ns)
    means.push_back(truth_of(latencies, rounds_, truth));
  set_means(std::move(means));
}

void Recorded::restart(std::uint64_t seed, std::uint64_t draw) {
  random_ = Random(seed_of_draw(seed, draw));
  round_ = random_.below(static_cast<std::uint32_t>(rounds_));
}

void Recorded::advance() {
  if (order_ == Order::random)
    round_ = random_.below(static_cast<std::uint32_t>(rounds_));
  else if (++round_ == rounds_)
    round_ = 0;
}

}  // namespace adaptive::replay
