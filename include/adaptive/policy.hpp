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

/// A policy's decision for the next call: which of the key's candidates runs, and whether it is timed.
struct Choice {
  std::uint32_t candidate = 0;
  bool timed = true;
};

/// What runs, untimed, when the policy is not consulted: `candidate`. The policy is consulted for the share
/// `consulted` of the calls, from 0 to 1; 1 consults it for every call.
struct Unconsulted {
  std::uint32_t candidate = 0;
  double consulted = 1.0;
};

/// What a policy expects of a candidate that has no results.
struct Expectation {
  double location = 0.0;   ///< expected log latency (natural logarithm, of nanoseconds)
  double deviation = 0.0;  ///< standard deviation of the error of `location`
};

/// Work of a policy that takes too long for a launch, such as fitting a model. The selector's worker thread
/// or `Selector::learn` runs it.
class ADAPTIVE_EXPORT Fit {
 public:
  Fit() = default;
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;
  virtual ~Fit() = default;

  /// Does the work. The caller holds no lock, and launches continue meanwhile.
  virtual void run() noexcept = 0;
};

/// Decides which variant a key tries next. Each key has a policy object of its own, so that a policy may keep
/// any state. A policy that needs only the statistics implements `choose` alone. The selector does the
/// bookkeeping: statistics, late and lost results, failures, promotion and tables.
///
/// The selector calls a policy under the key's lock, from any thread, so that calls of one object never
/// overlap. Every member must be quick; `choose`, `observe`, `unconsulted` and `fit_due` must not allocate. A
/// policy must not call the selector. It may choose only candidates that exist and are `available`. After any
/// other choice the incumbent runs; the choice is counted (`Counters::choices_invalid`) and logged once.
///
/// Work that takes longer is a `Fit`. When `fit_due()` returns true, the worker thread calls `start_fit`
/// under the key's lock, `Fit::run` without the lock, and `adopt` under the lock. Until then, the policy
/// decides without the result of the fit. A policy must not rely on a fit: it takes time and may never come,
/// for example if the program has turned the worker thread off.
class ADAPTIVE_EXPORT Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  /// Decides the next call of the key. Every random number must come from `random`, so that a run repeats.
  virtual Choice choose(const KeyStatistics& key, Random& random) noexcept = 0;

  /// Called after a result has been added to `key`. It may restart candidates whose latency has changed. The
  /// default does nothing.
  virtual void observe(KeyStatistics& key, const Sample& sample) noexcept;

  /// For explanations: the expected latency of a candidate that has no results, if the policy does not try it
  /// because of that expectation. The default returns nothing.
  virtual std::optional<Expectation> expected(const KeyStatistics& key,
                                              std::uint32_t candidate) const noexcept;

  /// Whether a fit is due. The selector asks after every `choose`, `observe` and `adopt`. The default returns
  /// false.
  virtual bool fit_due() const noexcept;

  /// Makes a fit. The fit must copy what it needs from `key`, which may change while the fit runs. Returns
  /// null if there is nothing to fit. May throw if memory runs out; the selector then asks for the fit again.
  virtual std::unique_ptr<Fit> start_fit(const KeyStatistics& key);

  /// Takes over the result of a fit that `start_fit` made. Data that the result replaces should be swapped
  /// into `fit`, which is destroyed without the key's lock.
  virtual void adopt(Fit& fit, const KeyStatistics& key) noexcept;

  /// Whether the policy uses `KeyStatistics::expectations`. If so, the worker thread keeps a model over all
  /// keys of the operation. The default returns false.
  virtual bool wants_expectations() const noexcept;

  /// Returns what runs when the policy is not consulted, and how often it is consulted. By default, the
  /// leader runs, and the policy is consulted for every call until the key is settled, then for one call in
  /// 16.
  virtual Unconsulted unconsulted(const KeyStatistics& key) const noexcept;
};

/// Makes the policy of a new key. Called by any thread; may not return null.
using PolicyFactory = std::function<std::unique_ptr<Policy>()>;

/// A factory of policies of class `P`, made without arguments: `SelectorOptions{.policy =
/// policy_of<Mine>()}`.
template <class P>
PolicyFactory policy_of() {
  return [] { return std::make_unique<P>(); };
}

/// A policy of policies/ by name, with its standard parameters: "default", "gaussian", "fixed",
/// "explore-first", "thompson". Throws `Error` that lists the names for any other.
[[nodiscard]] ADAPTIVE_EXPORT PolicyFactory make_policy(std::string_view name);

/// The names that `make_policy` knows, the default first.
ADAPTIVE_EXPORT const std::vector<std::string_view>& policy_names();

}  // namespace adaptive
