// A policy that learns each key by itself. policies/README.md has the equations and what each was measured to
// bring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <adaptive/policy.hpp>
#include "policies/models/parameter_model.hpp"
#include "policies/models/reopening.hpp"

namespace adaptive::inline v1::policies {

class PriorModel;

struct ImedOptions {
  /// Chance that evidence buries a variant for good: caps what one result can say against it.
  double error = 0.01;
  /// The leader is timed at every call until it has so many results, then in a share of the calls that falls
  /// with the square of their number, down to this one.
  std::uint64_t timed_until = 64;
  double timed_share_min = 1.0 / 1024;
  /// So many times longer where outliers decide between candidates.
  double timed_longer_for_tails = 4.0;
};

/// Runs the leader, and looks at another candidate when its index has fallen below the logarithm of the
/// calls: indexed minimum empirical divergence (Honda and Takemura, "An asymptotically optimal policy for
/// finite support models", Machine Learning 85, 2011; for Gaussians with a known deviation n·d²/2s² + ln n
/// against ln t), on robust log latencies with a deviation pooled over the key's candidates. A candidate
/// without results is looked at at once or, where a prior or the results of its like speak of it, once that
/// is worth its cost.
class Imed final : public Policy {
 public:
  explicit Imed(const ImedOptions& options = {}) : options_(options) {}

  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  void observe(KeyStatistics& key, const Sample& sample) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;
  std::optional<Expectation> expected(const KeyStatistics& key,
                                      std::uint32_t candidate) const noexcept override;
  bool fit_due() const noexcept override { return like_.due(); }
  std::unique_ptr<Fit> start_fit(const KeyStatistics& key) override;
  void adopt(Fit& fit, const KeyStatistics& key) noexcept override;

 private:
  void review(const KeyStatistics& key) noexcept;
  void review_unseen(const KeyStatistics& key) noexcept;
  void review_unknown(const KeyStatistics& key, std::uint32_t first) noexcept;
  void review_seen(const KeyStatistics& key) noexcept;
  bool likeness_says_more(const KeyStatistics& key, const PriorModel& model) noexcept;
  void propose(std::uint32_t candidate, double at_calls) noexcept;
  bool current(const KeyStatistics& key) const noexcept;
  /// Whom to look at to see whether what a model expects of candidates without results is worth its name.
  template <class Location>
  std::uint32_t audited(const KeyStatistics& key, Location&& location) const noexcept;

  // The outcome of the last review: until `look_at_` calls nothing but a result can change it.
  bool reviewed_ = false;
  std::uint32_t leader_ = 0;
  std::uint32_t look_ = 0;
  std::size_t size_ = 0;
  double look_at_ = 0.0;

  // Every result asks whether a fit is due.
  ParameterModel like_;
  ImedOptions options_;
  Reopening reopening_;
  double audit_at_ = 128.0;
  double doubted_at_ = 1.0;
};

}  // namespace adaptive::policies
