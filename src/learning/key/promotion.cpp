#include "learning/key/promotion.hpp"

#include <algorithm>
#include <cmath>

#include "policies/models/proof.hpp"

namespace adaptive::inline v1::core {
namespace {

// Number of standard deviations of its error by which a prior must be behind to rule a challenger out. Also
// the largest error, in standard deviations, at which a result still confirms the priors.
constexpr double prior_deviations = 3.0;

// Largest lead, in log latency, over a rival for which it is worth finding out whose the outliers are.
// Confirming an outlier rate of 1 % takes about 300 launches of rivals, which cost about seven latencies if
// the rivals are 2.5 % slower.
constexpr double near_enough_to_tell = 0.025;

/// Decides whether the priors of a key may stand for measurements. The error of one measured candidate's
/// prior is assumed to be common to all priors; at least one other measured candidate must confirm that, and
/// none may contradict it.
class Priors {
 public:
  Priors(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t samples_min) noexcept
      : deviation_(key[candidate].prior_deviation) {
    if (!key[candidate].has_prior()) return;
    shift_ = key[candidate].location - key[candidate].prior;
    bool confirmed = false;
    for (std::uint32_t i = 0; i < key.size(); ++i) {
      const VariantStatistics& c = key[i];
      if (i == candidate || !c.has_prior() || c.count == 0) continue;
      if (std::abs(c.location - c.prior - shift_) > error_of(c)) return;
      confirmed = confirmed || c.count >= samples_min;
    }
    hold_ = confirmed;
  }

  /// Whether the results of `c`, together with those behind its prior, suffice to say that `c` is slower than
  /// a candidate whose location is at most `upper`, and neither of the two contradicts that.
  bool rule_out(const VariantStatistics& c, double upper, std::uint32_t samples_min) const noexcept {
    if (!hold_ || !c.has_prior() || c.count + c.prior_count < samples_min) return false;
    if (c.count > 0 && c.location < upper) return false;
    return c.prior + shift_ - error_of(c) >= upper;
  }

 private:
  double error_of(const VariantStatistics& c) const noexcept {
    return prior_deviations * (c.prior_deviation + deviation_);
  }

  bool hold_ = false;
  double shift_ = 0.0;
  double deviation_ = 0.0;
};

bool qualifies(const KeyStatistics& key, std::uint32_t candidate, const LearningOptions& options) noexcept {
  const VariantStatistics& c = key[candidate];
  if (!c.available || c.remembered || c.count < options.samples_min) return false;
  const double zone = std::log1p(options.indifference);
  const double upper = c.location + key.radius(candidate, options.error);
  // The cheap comparison first: most candidates fail on their locations alone. Tails, which are known less
  // surely, may count against a candidate but not for it.
  for (const VariantStatistics& other : key.candidates)
    if (other.available && other.count >= options.samples_min && &other != &c &&
        (upper > other.location + zone || c.expected() > other.expected() + zone))
      return false;
  if (outliers_in_doubt(key, candidate)) return false;
  const Priors priors(key, candidate, options.samples_min);
  const bool cold = key.starts_cold();
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    const VariantStatistics& other = key[i];
    if (i == candidate || !other.available) continue;
    const bool behind = key.agreeing(i, cold) >= options.samples_min
                            ? upper <= other.location - key.radius(i, options.error) + zone
                            : priors.rule_out(other, upper, options.samples_min);
    if (!behind) return false;
  }
  return true;
}

}  // namespace

bool is_surely_faster(const KeyStatistics& key, std::uint32_t leader, std::uint32_t incumbent,
                      std::uint64_t samples_min) noexcept {
  // Largest chance that the incumbent is faster at all.
  constexpr double likely = 0.1;
  const VariantStatistics& c = key[leader];
  if (!c.available || c.remembered || c.count < std::max<std::uint64_t>(samples_min, promoted_from))
    return false;
  const VariantStatistics& before = key[incumbent];
  if (before.available && before.restarted_at > 0.0 &&
      (before.asked_at < before.restarted_at + slower_for || before.pending > 0))
    return false;
  if (!has_witness(key, leader)) return false;
  return key.chance_faster(incumbent, leader, std::log1p(key.indifference)) <=
             promotion_error_share * key.error_chance &&
         key.chance_faster(incumbent, leader, 0.0) <= likely;
}

bool is_confirmed(const KeyStatistics& key) noexcept {
  const double zone = std::log1p(key.indifference);
  const double most = proof_error_share * key.error_chance;
  if (!key[key.incumbent].available || key[key.incumbent].remembered) return false;
  double doubt = 0.0;
  for (std::uint32_t i = 0; i < key.size() && doubt <= most; ++i)
    if (i != key.incumbent && key[i].available) doubt += key.chance_faster(i, key.incumbent, zone);
  return doubt <= most;
}

bool outliers_in_doubt(const KeyStatistics& key, std::uint32_t candidate) noexcept {
  const VariantStatistics& c = key[candidate];
  const double own = key.tail_if_own(c);
  if (own == 0.0) return false;
  const double reach = c.location + std::min(own, near_enough_to_tell);
  return std::any_of(key.candidates.begin(), key.candidates.end(), [&](const VariantStatistics& other) {
    return other.available && &other != &c && other.location < reach;
  });
}

std::optional<std::uint32_t> established(const KeyStatistics& key, const LearningOptions& options) noexcept {
  if (qualifies(key, key.incumbent, options)) return key.incumbent;
  const std::uint32_t leader = key.leader();
  if (leader != key.incumbent && qualifies(key, leader, options)) return leader;
  return std::nullopt;
}

}  // namespace adaptive::core
