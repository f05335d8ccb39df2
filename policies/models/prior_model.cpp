#include "policies/models/prior_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "policies/models/value_of_looking.hpp"

namespace adaptive::inline v1::policies {
namespace {

// Of the priors that say nothing: how many there are, how many of a table that has been found wrong, and how
// far off they may be. The errors of predictions have been seen before, when each known key was predicted
// from the others.
constexpr double stray_share = 0.01;
constexpr double stray_share_distrusted = 0.3;
constexpr double stray_share_predicted = 0.0005;
constexpr double stray_share_distrusted_prediction = 0.1;
constexpr double stray_deviation = 0.30;
// Errors that are so many times larger than claimed, as variances, are still trusted.
constexpr double trusted_scale = 4.0;
// However noisy the launches, a prior is worth no more results than this: the hardware may have changed.
constexpr double results_max = 16.0;

// Whether a key's priors are a prediction: only such err in common.
bool errors_are_common(const KeyStatistics& key) noexcept {
  for (const VariantStatistics& c : key.candidates)
    for (const double loading : c.prior_loadings)
      if (loading != 0.0) return true;
  return false;
}

// Up to 1 where errors are far larger than claimed.
double distrust(double scale) noexcept {
  return std::max(0.0, 1.0 - trusted_scale / scale);
}

}  // namespace

PriorModel::PriorModel(const KeyStatistics& key) noexcept {
  if (errors_are_common(key)) {
    factors_.emplace(key);
    for (const VariantStatistics& c : key.candidates) measured_ += c.count > 0 && c.has_prior() ? 1 : 0;
    distrust_ = distrust(factors_->factor() * factors_->factor());
    stray_share_ = std::max(stray_share_predicted, stray_share_distrusted_prediction * distrust_);
    stray_deviation_ = stray_deviation;
    return;
  }
  regression_.emplace(key);
  measured_ = regression_->measured();
  distrust_ = distrust(regression_->scale());
  stray_share_ = std::max(stray_share, stray_share_distrusted * distrust_);
  stray_deviation_ = std::max(stray_deviation, regression_->spread());
}

double PriorModel::worth_from(const VariantStatistics& candidate, double best) const noexcept {
  const double behind = location(candidate) - best;
  const double gain = expected_gain(behind, deviation(candidate), stray_share_, stray_deviation_);
  return policies::worth_from(gain, behind);
}

double PriorModel::log_likelihood(const KeyStatistics& key) const noexcept {
  double sum = 0.0;
  for (const VariantStatistics& c : key.candidates) {
    if (c.count == 0 || !c.has_prior()) continue;
    const double noise = key.deviation() * key.deviation() / static_cast<double>(c.count);
    sum += log_density(c.location - location(c), deviation(c) * deviation(c) + noise);
  }
  return sum;
}

double PriorModel::results(const VariantStatistics& candidate, double deviation) const noexcept {
  const double of_prior =
      factors_ ? factors_->factor() * candidate.prior_deviation : regression_->deviation(candidate);
  const double ratio = deviation / of_prior;
  return std::min(ratio * ratio, results_max);
}

}  // namespace adaptive::policies
