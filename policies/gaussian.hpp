// The default policy, which learns from all keys of the operation. policies/gaussian.md has the equations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <adaptive/policy.hpp>
#include "policies/models/reopening.hpp"

namespace adaptive::inline v1::policies {

struct GaussianOptions {
  /// Shares of a key's time that looks may cost, by purpose: a promotion of the leader, a proof that the
  /// incumbent is the best, and the search for changes of candidates that were ruled out.
  double promotion_budget = 1e-3;
  double proof_budget = 5e-4;
  double revisit_budget = 5e-5;
  /// Number of a key's calls before looks for a proof begin.
  double proof_from = 1000.0;
  /// Share of the calls so far that counts as the horizon over which another look at a candidate with results
  /// has to pay.
  double horizon_share = 0.35;
  /// A key with many calls is expected to get (1 + `calls_to_come`) times as many again; a new key only as
  /// many. The first look at a candidate has to pay over these calls.
  double calls_to_come = 2.0;
  /// The leader is timed at every call until it has this many results. Then the timed share of the calls
  /// falls with the square of the number of results, down to `timed_share_min`. The smaller limits apply once
  /// the incumbent is confirmed, and if a table of this device has the key.
  double timed_until = 64.0;
  double timed_until_confirmed = 32.0;
  double timed_until_told = 1.5;
  double timed_share_min = 1.0 / 2048;
};

/// Runs the leader by the belief about all candidates (`KeyStatistics::belief`), and looks at another
/// candidate if the look is worth its cost. Expected improvement decides this for a candidate without
/// results, the boundary of Lai for one with results. The results that a promotion, or the proof of the
/// incumbent, lacks are measured within a budget.
class Gaussian final : public Policy {
 public:
  explicit Gaussian(const GaussianOptions& options = {}) : options_(options) {}

  bool wants_expectations() const noexcept override { return true; }
  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  void observe(KeyStatistics& key, const Sample& sample) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;
  std::optional<Expectation> expected(const KeyStatistics& key,
                                      std::uint32_t candidate) const noexcept override;

 private:
  /// The purpose of a look. The time spent is counted for each purpose separately.
  enum class Reason : std::uint8_t { gain, check, promotion, proof, revisit };

  bool is_current(const KeyStatistics& key) const noexcept;
  void review(const KeyStatistics& key) noexcept;
  void review_without_belief(const KeyStatistics& key) noexcept;
  void review_first(const KeyStatistics& key) noexcept;
  void review_witness(const KeyStatistics& key) noexcept;
  void review_incumbent(const KeyStatistics& key) noexcept;
  void review_others(const KeyStatistics& key) noexcept;
  void review_unchecked(const KeyStatistics& key, std::uint32_t candidate) noexcept;
  void review_unseen(const KeyStatistics& key, std::uint32_t candidate) noexcept;
  void review_seen(const KeyStatistics& key, std::uint32_t candidate) noexcept;
  void propose(const KeyStatistics& key, std::uint32_t candidate, double at_calls, Reason reason) noexcept;
  double results_lacking(const KeyStatistics& key, std::uint32_t candidate) const noexcept;
  double resolvable(const KeyStatistics& key, std::uint32_t candidate) const noexcept;
  double worth_from(double calls_to_come) const noexcept;
  double behind(const KeyStatistics& key, std::uint32_t candidate) const noexcept;
  double cost(const KeyStatistics& key, std::uint32_t candidate) const noexcept;
  double spent(Reason reason) const noexcept { return spent_[static_cast<std::size_t>(reason)]; }

  GaussianOptions options_;
  // The outcome of the latest review. It holds until the key has had `look_at_` calls, unless a result
  // changes it.
  std::uint64_t revision_ = 0;  // of the statistics that were reviewed; 0: review again
  std::uint32_t leader_ = 0;
  std::uint32_t look_ = 0;  // the candidate to look at next
  double look_at_ = 0.0;    // number of the key's calls from which to look at it
  double earliest_ = 0.0;   // number of the key's calls before which no look may be
  Reason reason_ = Reason::gain;
  bool told_ = false;  // whether a table of this device is believed

  Reopening reopening_;
  bool bracket_ = false;     // whether the leader is timed next, because a look was launched
  double doubted_at_ = 1.0;  // number of the key's calls from which to measure a spoiled candidate again
  std::array<double, 5> spent_{};  // time that looks have cost, in latencies of the leader, by reason
};

}  // namespace adaptive::policies
