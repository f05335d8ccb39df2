#include "prior/table_proof.hpp"

#include <algorithm>
#include <cmath>

#include "base/statistics/confidence.hpp"

namespace adaptive::inline v1::core {
namespace {

// What a table says of the noise is believed as a run would believe its own results: it starts at 3 %, with
// the weight of four results. Outliers inflate the variance of raw latencies, which makes a proof harder.
constexpr double deviation_start = 0.03;
constexpr double deviation_weight = 4.0;

// A latency is taken to be off by no more than three times what it is off by as a rule.
constexpr double deviations_max = 3.0;

bool is_measured(const SeedVariant& v) {
  return v.count > 0 && v.compared_ns() > 0.0;
}

/// Deviation of one log latency, pooled over the variants of the entry.
double pooled_deviation(const SeedEntry& entry) {
  double squares = deviation_weight * deviation_start * deviation_start;
  double freedom = deviation_weight;
  for (const SeedVariant& v : entry.variants) {
    if (v.count < 2 || !(v.mean_ns > 0.0)) continue;
    const double weight = static_cast<double>(v.count - 1);
    squares += weight * std::max(v.variance_ns2, 0.0) / (v.mean_ns * v.mean_ns);
    freedom += weight;
  }
  return std::sqrt(squares / freedom);
}

}  // namespace

std::optional<SeedVariant> proven_faster(const SeedEntry& entry, std::span<const std::uint32_t> candidates,
                                         const Proof& proof) {
  const auto incumbent = std::find_if(entry.variants.begin(), entry.variants.end(),
                                      [&](const auto& v) { return v.variant == entry.incumbent; });
  if (incumbent == entry.variants.end() || !is_measured(*incumbent)) return std::nullopt;
  const double deviation = pooled_deviation(entry);
  const double error = proof.error / static_cast<double>(entry.variants.size());
  const double besides_noise = deviations_max * (entry.trusted ? trusted_deviation : foreign_deviation);
  const auto radius = [&](const SeedVariant& v) {
    return std::hypot(besides_noise, mixture_radius(static_cast<double>(v.count), deviation, error));
  };
  const double limit =
      std::log(incumbent->compared_ns()) - radius(*incumbent) - std::log1p(proof.indifference);
  std::optional<SeedVariant> best;
  for (const SeedVariant& v : entry.variants) {
    if (!is_measured(v) || v.failures > 0) continue;
    if (std::find(candidates.begin(), candidates.end(), v.variant) == candidates.end()) continue;
    if (std::log(v.compared_ns()) + radius(v) >= limit || v.mean_ns > incumbent->mean_ns) continue;
    if (!best || v.compared_ns() < best->compared_ns()) best = v;
  }
  return best;
}

}  // namespace adaptive::core
