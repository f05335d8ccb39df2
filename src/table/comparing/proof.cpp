#include "table/comparing/proof.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/statistics/confidence.hpp"

namespace adaptive::inline v1::table {
namespace {

// What a table says of the noise is believed as a run would believe its own results: it starts at 3 %, with
// the weight of four results. Outliers inflate the variance of raw latencies, which makes a proof harder.
constexpr double deviation_start = 0.03;
constexpr double deviation_weight = 4.0;

// A latency is taken to be off by no more than three times what it is off by as a rule.
constexpr double deviations_max = 3.0;

bool has_deviation(const Measured& v) {
  return v.count > 0 && v.compared_ns > 0.0;
}

/// Deviation of one log latency, pooled over the variants of the entry.
double pooled_deviation(std::span<const Measured> variants) {
  double squares = deviation_weight * deviation_start * deviation_start;
  double freedom = deviation_weight;
  for (const Measured& v : variants) {
    if (v.count < 2 || !(v.mean_ns > 0.0)) continue;
    const double weight = static_cast<double>(v.count - 1);
    squares += weight * std::max(v.variance_ns2, 0.0) / (v.mean_ns * v.mean_ns);
    freedom += weight;
  }
  return std::sqrt(squares / freedom);
}

}  // namespace

std::optional<std::size_t> proven_faster(std::span<const Measured> variants, std::size_t incumbent,
                                         const Proof& proof, double run_deviation) {
  const Measured& named = variants[incumbent];
  if (!has_deviation(named)) return std::nullopt;
  const double deviation = pooled_deviation(variants);
  const double error = proof.error / static_cast<double>(variants.size());
  const auto radius = [&](const Measured& v) {
    return std::hypot(deviations_max * run_deviation,
                      core::mixture_radius(static_cast<double>(v.count), deviation, error));
  };
  const double limit = std::log(named.compared_ns) - radius(named) - std::log1p(proof.indifference);
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < variants.size(); ++i) {
    const Measured& v = variants[i];
    if (!has_deviation(v) || !v.eligible) continue;
    if (std::log(v.compared_ns) + radius(v) >= limit || v.mean_ns > named.mean_ns) continue;
    if (!best || v.compared_ns < variants[*best].compared_ns) best = i;
  }
  return best;
}

const std::string& lasting_incumbent(const Entry& entry) {
  std::vector<Measured> variants;
  std::vector<const std::string*> names;
  std::optional<std::size_t> incumbent;
  for (const auto& [name, record] : entry.variants) {
    // As a selector reads a table: what says nothing is no variant of the comparison.
    if (record.count == 0 && record.failures == 0) continue;
    if (name == entry.incumbent) incumbent = names.size();
    names.push_back(&name);
    variants.push_back({.count = record.count,
                        .compared_ns = record.location_ns > 0.0 ? record.location_ns : record.mean_ns,
                        .mean_ns = record.mean_ns,
                        .variance_ns2 = record.variance_ns2,
                        .eligible = record.failures == 0});
  }
  if (!incumbent) return entry.incumbent;
  const std::optional<std::size_t> faster = proven_faster(variants, *incumbent, Proof{}, trusted_deviation);
  return faster ? *names[*faster] : entry.incumbent;
}

}  // namespace adaptive::table
