// What the results of a key's first variants say about the others.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

#include <Eigen/Core>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::policies {

/// The errors of a key's priors: an offset that is common to all, factors that are common in proportion to
/// the loadings, and a part of its own for each. Measured variants tell offset and factors, and those what to
/// expect of the variants that have no results: Bayesian linear regression (Bishop, "Pattern Recognition and
/// Machine Learning", 2006, section 3.3). How large the own parts and the common ones really are is learned
/// from the residuals, apart from each other: a prediction may know how variants move together and be wrong
/// about each, or the other way round.
class PriorFactors {
 public:
  static constexpr int size = 1 + static_cast<int>(VariantStatistics::prior_factors);
  using Vector = Eigen::Matrix<double, size, 1>;
  using Matrix = Eigen::Matrix<double, size, size>;

  explicit PriorFactors(const KeyStatistics& key) noexcept;

  /// By what the own parts are larger than the priors' deviations say.
  double factor() const noexcept { return std::sqrt(own_scale_); }
  /// What to add to the prior.
  double shift(const VariantStatistics& candidate) const noexcept;
  /// Deviation of what the candidate is expected at, given the results.
  double deviation(const VariantStatistics& candidate) const noexcept;

 private:
  Vector loadings(const VariantStatistics& candidate) const noexcept;
  double variance_of(const KeyStatistics& key, const VariantStatistics& c) const noexcept;
  void rescale(const KeyStatistics& key) noexcept;

  double offset_deviation_;
  double own_scale_ = 1.0;     // of the variances of the errors that are a variant's own
  double common_scale_ = 1.0;  // and of those in common
  Vector mean_ = Vector::Zero();
  Matrix covariance_ = Matrix::Identity();
};

}  // namespace adaptive::policies
