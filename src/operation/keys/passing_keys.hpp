// Decides the calls of keys that have no state of their own.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include <adaptive/counters.hpp>
#include <adaptive/operation.hpp>
#include "learning/model/operation_model.hpp"
#include "learning/model/passing_launches.hpp"
#include "operation/keys/admission.hpp"
#include "operation/keys/candidates.hpp"
#include "operation/keys/key_index.hpp"
#include "operation/locks.hpp"
#include "operation/prior_knowledge.hpp"

namespace adaptive::inline v1::core {

/// A key that comes only once does not need a state, which takes some 10 KiB and some ten microseconds to
/// create. Once the model that the keys share has learned from some keys, a key gets a state only if it comes
/// repeatedly: the more keys have a state, the more often. The calls of all other keys, including those
/// beyond `max_keys`, *pass*: they run either the model's choice or the default. A controlled trial
/// (`ModelTrial`) decides the shares of the two: until the model is proven, most calls run the default. The
/// results teach the model. Looks at variants that the model believes to be slow have a budget of 0.1 % of
/// the time.
///
/// Every member is thread-safe. A call never waits for another call of a passing key. If variants have
/// `supports`, the call asks the program about the variants that it may run. As at the first call of any key,
/// only one thread at a time asks.
class PassingKeys {
 public:
  /// All must outlive the object.
  PassingKeys(const OperationSpec& spec, OperationContext& operation, OperationLocks& locks,
              const KeyIndex& keys, const RunnableVariants& variants, const PriorKnowledge& prior,
              const Admission& admission) noexcept
      : spec_(spec),
        operation_(operation),
        locks_(locks),
        keys_(keys),
        variants_(variants),
        prior_(prior),
        admission_(admission) {}

  struct Answer {
    bool is_passing = false;  ///< false: the key has a state, or should get one
    std::uint32_t variant = 0;
    std::uint32_t ticket = 0;  ///< 0: untimed
    /// If the key should get a state: its latest result, of `variant`, in nanoseconds; 0: none.
    double earlier_ns = 0.0;
  };
  /// Decides a call of a key that fits the operation.
  Answer decide(const Key& asked) noexcept;

  /// Takes the result of a launch that has a ticket, in nanoseconds.
  void record(std::uint32_t ticket, double ns) noexcept;
  /// Notes that a launch of `variant` by a key without a state has failed. Until `forget`, no such key runs
  /// the variant again, except as its default.
  void fail(std::uint32_t variant, std::uint32_t ticket) noexcept;
  /// Forgets all results. `take`: results of outstanding launches still count when they come.
  void forget(bool take) noexcept;
  /// Whether keys without a state pass at present, unless they come repeatedly.
  bool may_pass() const noexcept;

 private:
  // Maximum number of variants between which the model decides, the first ones of the operation.
  static constexpr std::size_t scored_max = 1024;
  using UnknownCosts = std::bitset<scored_max>;

  struct Runnable {
    std::uint32_t by_default = 0;
    std::uint32_t chosen = 0;
    std::uint32_t look = 0;  ///< the variant whose turn it is for a look; `chosen` if that variant cannot run
  };
  std::uint32_t times_needed() const noexcept;
  double timed_share_max(double location) const noexcept;
  /// Completes `point` and writes the `scores`. If the program estimates costs, `point` refers to `costs`,
  /// and `unknown` marks the variants without an estimate. Returns nothing if the program cannot be asked
  /// now, or if no variant can run the key.
  std::optional<Runnable> runnable(const Key& key, const OperationModel& model, ModelFeatures::Point& point,
                                   std::span<float> costs, UnknownCosts& unknown, std::span<double> scores);
  std::optional<Runnable> runnable_of_all(const Key& key, std::unique_lock<Asking>& asking,
                                          std::span<const double> scores);
  std::optional<Runnable> runnable_of(const Candidates& candidates, std::span<const double> scores) const;
  bool is_usable(std::uint32_t variant) const noexcept;

  const OperationSpec& spec_;
  OperationContext& operation_;
  OperationLocks& locks_;
  const KeyIndex& keys_;
  const RunnableVariants& variants_;
  const PriorKnowledge& prior_;
  const Admission& admission_;
};

}  // namespace adaptive::core
