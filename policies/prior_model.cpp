#include "prior_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "value_of_looking.hpp"

namespace adaptive::policies {
namespace {

// The learned factor starts at 1 with the weight of so many residuals.
constexpr double factor_weight = 2.0;
// Of the priors that say nothing: how many there are, and how far off they may be. The errors of predictions
// have been seen before, when each known key was predicted from the others.
constexpr double stray_share = 0.01;
constexpr double stray_share_predicted = 0.0005;
constexpr double stray_deviation = 0.30;
// More than this many residuals improve the factor no further.
constexpr std::size_t residuals_max = 64;
// However noisy the launches, a prior is worth no more results than this: the hardware may have changed.
constexpr double results_max = 16.0;

// Whether a key's priors are a prediction: only such err in common.
bool errors_are_common(const KeyStatistics& key) noexcept {
  for (const VariantStatistics& c : key.candidates)
    for (const double loading : c.prior_loadings)
      if (loading != 0.0) return true;
  return false;
}

}  // namespace

PriorModel::PriorModel(const KeyStatistics& key) noexcept {
  if (errors_are_common(key)) {
    factors_.emplace(key);
    for (const VariantStatistics& c : key.candidates) measured_ += c.count > 0 && c.has_prior() ? 1 : 0;
    factor_ = factors_->factor();
    return;
  }
  std::array<double, residuals_max> residuals{};
  std::array<double, residuals_max> deviations{};
  std::size_t count = 0;
  for (const VariantStatistics& c : key.candidates) {
    if (c.count == 0 || !c.has_prior() || count == residuals_max) continue;
    residuals[count] = c.location - c.prior;
    // The location itself is known no better than its results allow.
    deviations[count] =
        std::hypot(c.prior_deviation, key.deviation() / std::sqrt(static_cast<double>(c.count)));
    ++count;
  }
  measured_ = count;
  if (count == 0) return;
  std::array<double, residuals_max> sorted = residuals;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  offset_ = *middle;

  const double first = offset_ / std::hypot(key.prior_offset_deviation, deviations[0]);
  double sum = factor_weight + first * first;
  for (std::size_t i = 0; i < count; ++i) {
    const double z = (residuals[i] - offset_) / deviations[i];
    sum += std::min(z * z, 1e4);
  }
  // The median took one of the residuals; the offset's own surprise replaces it.
  factor_ = std::sqrt(sum / (factor_weight + static_cast<double>(count)));
}

double PriorModel::worth_from(const VariantStatistics& candidate, double best) const noexcept {
  const double behind = location(candidate) - best;
  const double deviation = factors_ ? factors_->deviation(candidate) : factor_ * candidate.prior_deviation;
  const double stray = factors_ ? stray_share_predicted : stray_share;
  const double gain = (1.0 - stray) * expected_gain(behind, deviation) +
                      stray * expected_gain(behind, std::max(stray_deviation, deviation));
  return policies::worth_from(gain, behind);
}

double PriorModel::results(const VariantStatistics& candidate, double deviation) const noexcept {
  const double ratio = deviation / (factor_ * candidate.prior_deviation);
  return std::min(ratio * ratio, results_max);
}

}  // namespace adaptive::policies
