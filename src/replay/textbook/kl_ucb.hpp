#pragma once

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::replay {

/// KL-UCB for normal log latencies of a common deviation σ: the candidate whose latency could be the least.
///
///     a(t) = argmin_i q_i,   q_i = min { q : n_i · KL(m_i, q) ≤ ln t + c · ln ln t },
///     KL(m, q) = (m − q)² / 2σ², therefore
///     a(t) = argmin_i  m_i − σ · sqrt(2 (ln t + c · ln ln t) / n_i)
///
/// m_i robust location, n_i results and results still out, σ the pooled deviation, t the calls.
/// Source: Garivier, Cappé, "The KL-UCB algorithm for bounded stochastic bandits and beyond", COLT 2011,
/// algorithm 1; with a known variance it is UCB with the exact normal bound.
///
/// One departure: a candidate counts as at most `gap_max` · σ behind the leader. The bound believes its noise
/// to be normal; taken at its word, a first result 50 times too high would be believed until ln t is in the
/// ten thousands.
class KlUcb final : public Policy {
 public:
  struct Options {
    double c = 0.0;  ///< the proof wants 3; the paper recommends 0 in practice
    double gap_max =
        4.0;  ///< a second look after about exp(gap_max² / 2) = 3,000 calls, a third after its square
    double consulted_settled = 1.0 / 16;  ///< share of the calls put to `choose` once the key is settled
  };

  KlUcb() = default;
  explicit KlUcb(const Options& options) : options_(options) {}

  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;

 private:
  Options options_;
};

}  // namespace adaptive::replay
