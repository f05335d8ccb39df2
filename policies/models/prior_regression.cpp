#include "policies/models/prior_regression.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace adaptive::inline v1::policies {
namespace {

// That the errors are what the priors claim has the weight of so many residuals.
constexpr double claim_weight = 2.0;
// The share of the priors' variance that may be error: tried from what they claim up to this.
constexpr double error_share_max = 0.95;
constexpr int error_share_steps = 10;
// So many deviations above what is expected a single result may be an outlier.
constexpr double doubtful_from = 3.0;
// No single residual says more, squared.
constexpr double surprise_max = 1e4;

}  // namespace

PriorRegression::PriorRegression(const KeyStatistics& key) noexcept {
  note_spread(key);
  note_measured(key);
  if (count_ == 0) return;
  const Fit fit = likeliest(key.prior_offset_deviation);
  slope_ = fit.slope;
  offset_ = fit.offset;
  scale_ = fit.scale;
  // The median took one of the residuals; the offset's own surprise replaces it.
  const double of_offset =
      fit.offset / std::hypot(key.prior_offset_deviation, std::sqrt(fit.scale) * claimed_);
  const double sum = claim_weight + of_offset * of_offset + squares(fit);
  factor_ = std::sqrt(fit.scale * sum / (claim_weight + static_cast<double>(count_)));
}

void PriorRegression::note_spread(const KeyStatistics& key) noexcept {
  double count = 0.0;
  double squares = 0.0;
  for (const VariantStatistics& c : key.candidates) {
    if (!c.has_prior()) continue;
    count += 1.0;
    const double from_mean = c.prior - centre_;
    centre_ += from_mean / count;
    squares += from_mean * (c.prior - centre_);
    claimed_ += (c.prior_deviation - claimed_) / count;
  }
  if (count > 1.0) spread_ = std::sqrt(squares / (count - 1.0));
}

void PriorRegression::note_measured(const KeyStatistics& key) noexcept {
  for (const VariantStatistics& c : key.candidates) {
    if (c.count == 0 || !c.has_prior() || count_ == measured_max) continue;
    const double noise = key.deviation() / std::sqrt(static_cast<double>(c.count));
    measured_[count_++] = {c.location, c.prior, c.prior_deviation, noise, c.count == 1};
  }
}

PriorRegression::Fit PriorRegression::likeliest(double offset_deviation) const noexcept {
  Fit best{1.0, median_offset(1.0), 1.0};
  const double claimed = claimed_ * claimed_;
  const double variance = spread_ * spread_;
  const double first = variance > 0.0 ? claimed / variance : 1.0;
  if (first >= error_share_max) return best;
  double least = loss(best, offset_deviation);
  for (int step = 1; step <= error_share_steps; ++step) {
    const double share = first * std::pow(error_share_max / first, step / double{error_share_steps});
    // Of a prior's error the regression to the mean takes the rest.
    const double scale = std::max(1.0, share * (1.0 - share) * variance / claimed);
    const Fit fit{1.0 - share, median_offset(1.0 - share), scale};
    const double surprise = loss(fit, offset_deviation) + claim_weight * (std::log(share / first) - 1.0);
    if (surprise >= least) continue;
    least = surprise;
    best = fit;
  }
  return best;
}

double PriorRegression::loss(const Fit& fit, double offset_deviation) const noexcept {
  double sum = squares(fit);
  for (const Measured& m : measured_ones())
    sum += std::log(fit.scale * m.deviation * m.deviation + m.noise * m.noise);
  const double common = offset_deviation * offset_deviation + fit.scale * claimed_ * claimed_;
  return sum + fit.offset * fit.offset / common;
}

double PriorRegression::squares(const Fit& fit) const noexcept {
  double sum = 0.0;
  double excess = 0.0;
  std::size_t excused = 0;
  for (const Measured& m : measured_ones()) {
    const double error = m.location - at(m.prior, fit.slope, fit.offset);
    const double z = error / std::sqrt(fit.scale * m.deviation * m.deviation + m.noise * m.noise);
    const double square = std::min(z * z, surprise_max);
    sum += square;
    if (!m.single || z <= doubtful_from) continue;
    ++excused;
    excess = square - doubtful_from * doubtful_from;
  }
  return excused == 1 ? sum - excess : sum;
}

double PriorRegression::median_offset(double slope) const noexcept {
  std::array<double, measured_max> residuals{};
  for (std::size_t i = 0; i < count_; ++i)
    residuals[i] = measured_[i].location - at(measured_[i].prior, slope, 0.0);
  const auto middle = residuals.begin() + static_cast<std::ptrdiff_t>((count_ - 1) / 2);
  std::nth_element(residuals.begin(), middle, residuals.begin() + static_cast<std::ptrdiff_t>(count_));
  return *middle;
}

}  // namespace adaptive::policies
