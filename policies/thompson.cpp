#include "thompson.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/statistics/normal.hpp"
#include "explore_first.hpp"

namespace adaptive::inline v1::policies {
namespace {

struct Posterior {
  double mean = 0.0;
  double weight = 0.0;  // in results
};

Posterior posterior(const KeyStatistics& key, const VariantStatistics& c, double prior_weight_max) noexcept {
  const double count = static_cast<double>(c.count);
  const double pending = static_cast<double>(c.pending);
  if (!key.trusted_prior || !c.has_prior() || !(c.prior_deviation > 0.0))
    return {c.location, c.count > 0 ? count + pending : 0.0};
  const double ratio = key.deviation() / c.prior_deviation;
  const double weight = std::min(ratio * ratio, prior_weight_max);
  if (c.count == 0) return {c.prior, weight + pending};
  return {(weight * c.prior + count * c.location) / (weight + count), weight + count + pending};
}

}  // namespace

Choice Thompson::choose(const KeyStatistics& key, Random& random) noexcept {
  std::uint32_t leader = key.incumbent;
  double least_mean = std::numeric_limits<double>::infinity();
  std::optional<std::uint32_t> unknown;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available) continue;
    const Posterior p = posterior(key, key[i], options_.prior_weight_max);
    if (p.weight == 0.0) {
      if (!unknown && key[i].pending == 0) unknown = i;
    } else if (p.mean < least_mean) {
      least_mean = p.mean;
      leader = i;
    }
  }
  // If a table is trusted, only candidates that it does not know need a first look: for the others, the draws
  // decide.
  if (unknown) return {key.trusted_prior ? *unknown : next_look(key, 1).value_or(*unknown), true};

  std::uint32_t best = leader;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available) continue;
    const Posterior p = posterior(key, key[i], options_.prior_weight_max);
    if (p.weight == 0.0) continue;  // its first result is outstanding
    const double gap_max = options_.gap_max * key.deviation() / std::sqrt(std::min(p.weight, 1.0));
    const double draw =
        std::min(p.mean, least_mean + gap_max) + key.deviation() / std::sqrt(p.weight) * core::normal(random);
    if (draw < least) {
      least = draw;
      best = i;
    }
  }
  return {best, true};
}

Unconsulted Thompson::unconsulted(const KeyStatistics& key) const noexcept {
  return {key.leader(true), key.settled ? options_.consulted_settled : 1.0};
}

}  // namespace adaptive::policies
