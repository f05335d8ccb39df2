#pragma once

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::policies {

/// Thompson sampling on log latency: every candidate's location is drawn from its posterior, the least draw
/// runs.
///
///     θ_i ~ Normal(μ_i, σ² / (w_i + n_i)),   a(t) = argmin_i θ_i
///     μ_i = (w_i · prior_i + n_i · m_i) / (w_i + n_i),   w_i = (σ / prior deviation_i)²
///
/// m_i robust location of the results, σ the pooled deviation; results still out narrow the draw as if they
/// had come as expected. Priors measured on this device are pseudo-observations, so a candidate that is
/// surely worse may never be run. Others only order the first looks: how far off another device is, is
/// unknown. Source: Thompson, "On the likelihood that one unknown probability exceeds another in view of the
/// evidence of two samples", Biometrika 25 (1933); Russo, Van Roy, Kazerouni, Osband, Wen, "A tutorial on
/// Thompson sampling", Foundations and Trends in Machine Learning 11 (2018).
///
/// One departure, as in `replay::KlUcb`: a candidate counts as at most `gap_max` · σ behind the leader.
class Thompson final : public Policy {
 public:
  struct Options {
    /// One result that far off brings a second look in about 700 calls, two such results in about 100,000.
    double gap_max = 3.0;
    double prior_weight_max = 1.0;        ///< of w_i: a table is believed no more than one result
    double consulted_settled = 1.0 / 16;  ///< share of the calls put to `choose` once the key is settled
  };

  Thompson() = default;
  explicit Thompson(const Options& options) : options_(options) {}

  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;

 private:
  Options options_;
};

}  // namespace adaptive::policies
