// How far a key's priors can be trusted, learned from the candidates that have been measured.
#pragma once

#include <cstddef>

#include <optional>

#include <adaptive/statistics.hpp>
#include "prior_factors.hpp"

namespace adaptive::policies {

/// Model: location = prior + offset + error. The offset is common to the key (another clock, another shape),
/// its estimate the median over the measured candidates, so that no single one decides it. The errors have
/// the priors' deviations times a factor that is learned from the residuals, and heavy tails: one in a
/// hundred priors says nothing. Where the priors are a prediction their errors are common in part, and what
/// has been measured corrects what is expected of the rest (`PriorFactors`).
class PriorModel {
 public:
  explicit PriorModel(const KeyStatistics& key) noexcept;

  /// How many candidates have both a prior and results.
  std::size_t measured() const noexcept { return measured_; }

  /// Whether the priors are a prediction, made of other keys.
  bool predicted() const noexcept { return factors_.has_value(); }

  /// The number of calls from which on a first look at `candidate` pays, against a leader at location `best`.
  double worth_from(const VariantStatistics& candidate, double best) const noexcept;

  /// How many results of that deviation the candidate's prior is worth, and the location it speaks for.
  double results(const VariantStatistics& candidate, double deviation) const noexcept;
  double location(const VariantStatistics& candidate) const noexcept {
    return candidate.prior + (factors_ ? factors_->shift(candidate) : offset_);
  }

 private:
  std::size_t measured_ = 0;
  double offset_ = 0.0;
  double factor_ = 1.0;
  std::optional<PriorFactors> factors_;  // where the priors are a prediction
};

}  // namespace adaptive::policies
