#include "base/statistics/quantiles.hpp"

#include <boost/accumulators/accumulators.hpp>
#include <boost/accumulators/statistics/stats.hpp>
#include <boost/accumulators/statistics/tail_quantile.hpp>

namespace adaptive::inline v1::core {
namespace {

namespace accumulators = boost::accumulators;

template <class Side>
using Tail =
    accumulators::accumulator_set<double, accumulators::stats<accumulators::tag::tail_quantile<Side>>>;

}  // namespace

// There are few latencies, so that the tails keep all of them and the quantiles are exact.
RecentLatencies quantiles(std::span<const double> latencies_ns) {
  if (latencies_ns.empty()) return {};
  const std::size_t count = latencies_ns.size();
  // Boost has no quantile of a single value.
  if (count == 1) return {1, latencies_ns[0], latencies_ns[0], latencies_ns[0]};
  // Boost counts a quantile of the right tail from the largest value. The median is taken from the left tail,
  // because in the right one it would be the upper of the two middle values if their number is even.
  Tail<accumulators::left> lower(accumulators::tag::tail<accumulators::left>::cache_size = count);
  Tail<accumulators::right> upper(accumulators::tag::tail<accumulators::right>::cache_size = count);
  for (const double ns : latencies_ns) {
    lower(ns);
    upper(ns);
  }
  const auto of = [](const auto& tail, double share) {
    return accumulators::quantile(tail, accumulators::quantile_probability = share);
  };
  return {count, of(lower, 0.5), of(upper, 0.95), of(upper, 0.99)};
}

}  // namespace adaptive::core
