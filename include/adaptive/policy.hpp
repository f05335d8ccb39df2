#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <adaptive/detail/export.hpp>
#include <adaptive/random.hpp>
#include <adaptive/statistics.hpp>

namespace adaptive::inline v1 {

/// What a policy wants of the next call: one of the key's candidates, and whether to time it.
struct Choice {
  std::uint32_t candidate = 0;
  bool timed = true;
};

/// What the calls do that no policy is asked about: `candidate`, untimed. A share of `consulted` of the calls
/// is put to `choose`; 1 asks about every call.
struct Rest {
  std::uint32_t candidate = 0;
  double consulted = 1.0;
};

/// What a policy expects of a candidate that has no results.
struct Expectation {
  double location = 0.0;   ///< log latency
  double deviation = 0.0;  ///< of its error
};

/// Work of a policy that takes too long for a launch, such as fitting a model: done by the selector's worker
/// thread, or by `Selector::learn`.
class ADAPTIVE_EXPORT Fit {
 public:
  Fit() = default;
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;
  virtual ~Fit() = default;

  /// No lock is held, and launches go on meanwhile.
  virtual void run() noexcept = 0;
};

/// Decides which variant a key tries next. There is one object per key, so a policy may keep what it likes;
/// one that needs nothing but the statistics implements `choose` alone. Bookkeeping (statistics, late and
/// lost results, failures, promotion, tables) is not its business.
///
/// The selector calls it under the key's lock, from any thread, so every member must be quick, and `choose`,
/// `observe`, `rest` and `fit_due` must not allocate. What takes longer is a `Fit`: where `fit_due`, the
/// worker thread calls `start_fit` under the key's lock, `Fit::run` without it, and `adopt` under it. Until
/// then the policy decides by what it knows; it must not rely on a fit, which takes some time and may never
/// come, as where the program has switched the worker thread off. A candidate that is not `available` must
/// not be chosen, nor may one that does not exist; if it is, the incumbent runs instead, which is counted
/// (`Counters::choices_invalid`) and told once. A policy must not call the selector.
class ADAPTIVE_EXPORT Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  virtual Choice choose(const KeyStatistics& key, Random& random) noexcept = 0;

  /// A result has been added to `key`. May restart candidates whose latency has changed.
  virtual void observe(KeyStatistics& key, const Sample& sample) noexcept;

  /// For explanations: what is expected of a candidate without results, where that is why it has none. The
  /// default: nothing.
  virtual std::optional<Expectation> expected(const KeyStatistics& key,
                                              std::uint32_t candidate) const noexcept;

  /// Whether a fit is due; asked after every `choose`, `observe` and `adopt`. The default: never.
  virtual bool fit_due() const noexcept;

  /// Copies what the fit needs to know of `key`, which may change while the fit runs. Null where there is
  /// nothing to fit. May throw for want of memory; the fit is then asked for again.
  virtual std::unique_ptr<Fit> start_fit(const KeyStatistics& key);

  /// Takes up what a fit of `start_fit` has found. What it replaces is best left in `fit`, which is destroyed
  /// without the key's lock.
  virtual void adopt(Fit& fit, const KeyStatistics& key) noexcept;

  /// The default: the leader, every call consulted until the key is settled and one in 16 afterwards.
  virtual Rest rest(const KeyStatistics& key) const noexcept;
};

using PolicyFactory = std::function<std::unique_ptr<Policy>()>;

/// `SelectorOptions{.policy = policy_of<Mine>()}`.
template <class P>
PolicyFactory policy_of() {
  return [] { return std::make_unique<P>(); };
}

/// A policy of policies/ by name, with its standard parameters: "default", "fixed", "explore-first",
/// "epsilon-greedy", "kl-ucb", "thompson". Throws `Error` that lists the names for any other.
[[nodiscard]] ADAPTIVE_EXPORT PolicyFactory make_policy(std::string_view name);

/// The names that `make_policy` knows, the default first.
ADAPTIVE_EXPORT const std::vector<std::string_view>& policy_names();

}  // namespace adaptive
