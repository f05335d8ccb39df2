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

/// A key that comes once has no use for a state, which takes some 10 KiB and costs some ten microseconds to
/// make. Once the model that the keys share knows something, only a key that comes repeatedly gets a state:
/// the more keys have one, the more often it has to come. The other keys, and all those beyond `max_keys`,
/// are decided by the model, from whose guess they never depart by more than a trial shows to be safe
/// (`ModelTrial`): until the model is proven, most of their calls run the default. Their results teach the
/// model. A budget of 0.1 % of their time is for looks at variants that the model believes to be slow.
///
/// Every member is thread-safe. A call never waits for another call of a passing key. Where its operation's
/// variants have `supports`, it asks the program about the variants that it may run, one thread at a time, as
/// for the first call of any key.
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
    /// Of a key that should get a state: a result of before, of `variant`; 0: none.
    double earlier_ns = 0.0;
  };
  /// The call of a key that fits the operation.
  Answer decide(const Key& asked) noexcept;

  /// The result of a launch that has a ticket.
  void record(std::uint32_t ticket, double ns) noexcept;
  /// A launch of `variant` by a key without a state has failed. No such key runs the variant again before
  /// `forget`, but the default.
  void fail(std::uint32_t variant, std::uint32_t ticket) noexcept;
  /// Forgets all results. `take`: those of launches that are out count when they come.
  void forget(bool take) noexcept;
  /// Whether a key without a state passes, unless it comes repeatedly.
  bool may_pass() const noexcept;

 private:
  // Variants that the model decides between: the first of an operation.
  static constexpr std::size_t scored_max = 1024;
  using UnknownCosts = std::bitset<scored_max>;

  struct Runnable {
    std::uint32_t by_default = 0;
    std::uint32_t chosen = 0;
    std::uint32_t look = 0;  ///< whose turn it is to be looked at; `chosen` if that one cannot run
  };
  std::uint32_t times_needed() const noexcept;
  double timed_share_max(double location) const noexcept;
  /// Completes `point`, which refers to `costs` if the program estimates costs, and writes the `scores`.
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
