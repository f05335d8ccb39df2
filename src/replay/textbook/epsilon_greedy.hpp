#pragma once

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::replay {

/// ε-greedy: one look at every candidate, then the leader, but with probability ε_t a candidate drawn
/// uniformly.
///
///     ε_t = min(ε, decay · K / t)           K candidates, t calls; decay 0: ε_t = ε
///
/// Source: Auer, Cesa-Bianchi, Fischer, "Finite-time analysis of the multiarmed bandit problem", Machine
/// Learning 47 (2002), figure 3 (ε_n-greedy, with decay = c/d²).
class EpsilonGreedy final : public Policy {
 public:
  struct Options {
    double epsilon = 0.1;
    /// Looks at every candidate each time that t grows e-fold. 1 keeps their cost, decay · ln t · Σ gaps,
    /// near that of the first looks; without decay the cost is ε times the mean gap for ever.
    double decay = 1.0;
    double consulted_settled = 1.0 / 16;  ///< share of the calls put to `choose` once the key is settled
  };

  EpsilonGreedy() = default;
  explicit EpsilonGreedy(const Options& options) : options_(options) {}

  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;

 private:
  Options options_;
};

}  // namespace adaptive::replay
