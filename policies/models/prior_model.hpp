// How far a key's priors can be trusted, learned from the candidates that have been measured.
#pragma once

#include <cstddef>
#include <optional>

#include <adaptive/statistics.hpp>
#include "policies/models/prior_factors.hpp"
#include "policies/models/prior_regression.hpp"

namespace adaptive::inline v1::policies {

/// Priors of a table or a neighbour err each on its own (`PriorRegression`); one in a hundred says nothing,
/// and of a table that has been found wrong every third. The errors of a prediction are common in part, and
/// what has been measured corrects what is expected of the rest (`PriorFactors`).
class PriorModel {
 public:
  explicit PriorModel(const KeyStatistics& key) noexcept;

  /// How many candidates have both a prior and results.
  std::size_t measured() const noexcept { return measured_; }

  /// How well the priors, corrected by the results, agree with them: log densities, summed over the measured
  /// candidates.
  double log_likelihood(const KeyStatistics& key) const noexcept;

  /// Whether their errors are far larger than the priors claim.
  bool distrusted() const noexcept { return distrust_ > 0.0; }

  /// Whether the priors are a prediction, made of other keys.
  bool predicted() const noexcept { return factors_.has_value(); }

  /// The number of calls from which on a first look at `candidate` pays, against a leader at location `best`.
  double worth_from(const VariantStatistics& candidate, double best) const noexcept;

  /// How many results of that deviation the candidate's prior is worth, and the location it speaks for.
  double results(const VariantStatistics& candidate, double deviation) const noexcept;
  double location(const VariantStatistics& candidate) const noexcept {
    return factors_ ? candidate.prior + factors_->shift(candidate) : regression_->location(candidate);
  }

 private:
  double deviation(const VariantStatistics& candidate) const noexcept {
    return factors_ ? factors_->deviation(candidate) : regression_->deviation(candidate);
  }

  std::size_t measured_ = 0;
  double distrust_ = 0.0;  // up to 1
  double stray_share_ = 0.0;
  double stray_deviation_ = 0.0;
  std::optional<PriorFactors> factors_;        // where the priors are a prediction
  std::optional<PriorRegression> regression_;  // where they are not
};

}  // namespace adaptive::policies
