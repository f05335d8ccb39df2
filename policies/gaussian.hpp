// A policy that learns from all keys of the operation. policies/gaussian.md has the equations.
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
  /// Shares of a key's time that looks may cost which a promotion, a proof that the incumbent is the best,
  /// and the search for changes of what was ruled out need.
  double promotion_budget = 1e-3;
  double proof_budget = 5e-4;
  double revisit_budget = 5e-5;
  /// Calls of a key before which no look is for a proof.
  double proof_from = 1000.0;
  /// Share of the calls so far that a look at a candidate with results may be compared with.
  double horizon_share = 0.35;
  /// How many times as many calls a key is expected to get as it has had, once it has had many: what the
  /// first look at a candidate is worth.
  double calls_to_come = 2.0;
  /// The leader is timed at every call until it has so many results, then in a share of the calls that falls
  /// with the square of their number, down to `timed_share_min`. Fewer suffice for a confirmed incumbent, and
  /// for one that a table of this device names.
  double timed_until = 64.0;
  double timed_until_confirmed = 32.0;
  double timed_until_told = 1.5;
  double timed_share_min = 1.0 / 2048;
};

/// Runs the leader by what is believed of all candidates (`KeyStatistics::belief`), and looks at another
/// where that is worth its cost: at one without results by expected improvement, at one with results by the
/// boundary of Lai. What a promotion and the proof of the incumbent lack is measured on a budget.
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
  /// What a look is for. Each has spent a part of the key's time.
  enum class Reason : std::uint8_t { gain, check, promotion, proof, revisit };

  bool is_current(const KeyStatistics& key) const noexcept;
  void review(const KeyStatistics& key) noexcept;
  void review_without_belief(const KeyStatistics& key) noexcept;
  void review_first(const KeyStatistics& key) noexcept;
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
  // The outcome of the last review: until `look_at_` calls nothing but a result can change it.
  std::uint64_t revision_ = 0;  // of the statistics that were reviewed; 0: none
  std::uint32_t leader_ = 0;
  std::uint32_t look_ = 0;
  double look_at_ = 0.0;
  double earliest_ = 0.0;  // before which no look may be
  Reason reason_ = Reason::gain;
  bool told_ = false;  // whether a table of this device is believed

  bool disturbed_ = false;  // launches were disturbed, and are not any more
  Reopening reopening_;
  double disturbed_at_ = 0.0;  // calls of the key when that was noticed
  double doubted_at_ = 1.0;
  std::array<double, 5> spent_{};  // calls' worth of time that looks have cost, by reason
};

}  // namespace adaptive::policies
