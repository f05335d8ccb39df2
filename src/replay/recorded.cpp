#include "replay/recorded.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace adaptive::inline v1::replay {

Recorded::Recorded(const table::TraceKey& key, Order order)
    : key_(key), order_(order), rounds_(std::numeric_limits<std::size_t>::max()) {
  for (const std::vector<double>& latencies : key.latency_ns) rounds_ = std::min(rounds_, latencies.size());
  std::vector<double> means;
  for (const std::vector<double>& latencies : key.latency_ns) {
    const auto end = latencies.begin() + static_cast<std::ptrdiff_t>(rounds_);
    means.push_back(std::accumulate(latencies.begin(), end, 0.0) / static_cast<double>(rounds_));
  }
  set_means(std::move(means));
}

void Recorded::restart(std::uint64_t seed) {
  random_ = Random(seed);
  round_ = random_.below(static_cast<std::uint32_t>(rounds_));
}

void Recorded::advance() {
  if (order_ == Order::random)
    round_ = random_.below(static_cast<std::uint32_t>(rounds_));
  else if (++round_ == rounds_)
    round_ = 0;
}

}  // namespace adaptive::replay
