#include "policies/models/prior_factors.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Cholesky>

namespace adaptive::inline v1::policies {
namespace {

// The learned scales start at 1 with the weight of so many residuals, and of so many common errors.
constexpr double own_weight = 2.0;
constexpr double common_weight = 2.0;
constexpr double scale_min = 0.5;
constexpr double scale_max = 1e4;
constexpr int rounds = 6;

// A single result so far above what was expected may be an outlier: launches are disturbed, and then late.
constexpr double clip = 3.0;

bool doubtful(const VariantStatistics& c, double z) noexcept {
  return z > clip && c.count < 2;
}

double own_variance(const VariantStatistics& c) noexcept {
  double common = 0.0;
  for (const double loading : c.prior_loadings) common += loading * loading;
  return std::max(c.prior_deviation * c.prior_deviation - common, 1e-6);
}

}  // namespace

PriorFactors::Vector PriorFactors::loadings(const VariantStatistics& candidate) const noexcept {
  Vector a;
  a[0] = offset_deviation_;
  for (int f = 1; f < size; ++f) a[f] = candidate.prior_loadings[static_cast<std::size_t>(f - 1)];
  return a;
}

PriorFactors::PriorFactors(const KeyStatistics& key) noexcept
    : offset_deviation_(key.prior_offset_deviation) {
  for (int round = 0; round < rounds; ++round) {
    Matrix information = Matrix::Identity() / common_scale_;
    Vector weighted = Vector::Zero();
    for (const VariantStatistics& c : key.candidates) {
      if (c.count == 0 || !c.has_prior()) continue;
      const Vector a = loadings(c);
      const double residual = c.location - c.prior;
      const double variance = variance_of(key, c);
      const double z = (residual - a.dot(mean_)) / std::sqrt(variance);
      const double weight = (doubtful(c, z) && round > 0 ? clip / z : 1.0) / variance;
      information.noalias() += weight * a * a.transpose();
      weighted += weight * residual * a;
    }
    covariance_ = information.llt().solve(Matrix::Identity());
    mean_ = covariance_ * weighted;
    rescale(key);
  }
}

double PriorFactors::variance_of(const KeyStatistics& key, const VariantStatistics& c) const noexcept {
  return own_scale_ * own_variance(c) + key.deviation() * key.deviation() / static_cast<double>(c.count);
}

void PriorFactors::rescale(const KeyStatistics& key) noexcept {
  double squares = 0.0;
  double count = 0.0;
  for (const VariantStatistics& c : key.candidates) {
    if (c.count == 0 || !c.has_prior()) continue;
    const Vector a = loadings(c);
    const double variance = variance_of(key, c);
    const double error = c.location - c.prior - a.dot(mean_);
    if (doubtful(c, error / std::sqrt(variance))) continue;
    squares += (error * error + a.dot(covariance_ * a)) / variance;
    count += 1.0;
  }
  own_scale_ = std::clamp(own_scale_ * (own_weight + squares) / (own_weight + count), scale_min, scale_max);
  common_scale_ =
      std::clamp((common_weight + mean_.squaredNorm() + covariance_.trace()) / (common_weight + size),
                 scale_min, scale_max);
}

double PriorFactors::shift(const VariantStatistics& candidate) const noexcept {
  return loadings(candidate).dot(mean_);
}

double PriorFactors::deviation(const VariantStatistics& candidate) const noexcept {
  const Vector a = loadings(candidate);
  return std::sqrt(own_scale_ * own_variance(candidate) + a.dot(covariance_ * a));
}

}  // namespace adaptive::policies
