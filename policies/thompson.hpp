#pragma once

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::policies {

/// Thompson sampling on log latency: draws the location of every candidate from its posterior and runs the
/// candidate with the least draw.
///
///     θ_i ~ Normal(μ_i, σ² / (w_i + n_i)),   a(t) = argmin_i θ_i
///     μ_i = (w_i · prior_i + n_i · m_i) / (w_i + n_i),   w_i = (σ / prior deviation_i)²
///
/// m_i is the robust location of the results, σ the pooled standard deviation. Outstanding results narrow the
/// posterior as if they had come as expected. Priors measured on this device are pseudo-observations, so that
/// a candidate that is surely worse may never run. Other priors (w_i = 0) only order the first looks, because
/// the error of another device's latencies is unknown. Source: Thompson, "On the likelihood that one unknown
/// probability exceeds another in view of the evidence of two samples", Biometrika 25 (1933); Russo, Van Roy,
/// Kazerouni, Osband, Wen, "A tutorial on Thompson sampling", Foundations and Trends in Machine Learning 11
/// (2018).
///
/// One difference, as in `replay::KlUcb`: a candidate counts as at most `gap_max` · σ behind the leader.
class Thompson final : public Policy {
 public:
  struct Options {
    /// Largest distance to the leader that counts, in σ. After one result that far behind, a second look
    /// comes within about 700 calls; after two such results, within about 100,000.
    double gap_max = 3.0;
    double prior_weight_max = 1.0;  ///< maximum of w_i, in results: a table counts as one result at most
    double consulted_settled = 1.0 / 16;  ///< share of the calls that consult the policy of a settled key
  };

  Thompson() = default;
  explicit Thompson(const Options& options) : options_(options) {}

  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;

 private:
  Options options_;
};

}  // namespace adaptive::policies
