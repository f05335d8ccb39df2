// The learner of one key: its results, its incumbent, and what its calls run.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/decision.hpp>
#include <adaptive/detail/key_table.hpp>
#include <adaptive/explanation.hpp>
#include <adaptive/key.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/policy.hpp>
#include <adaptive/random.hpp>
#include <adaptive/statistics.hpp>
#include "base/fork.hpp"
#include "learning/change_sink.hpp"
#include "learning/key/history.hpp"
#include "learning/key/key_fit.hpp"
#include "learning/key/latency_windows.hpp"
#include "learning/key/revalidation.hpp"
#include "learning/key/tickets.hpp"
#include "learning/operation_context.hpp"
#include "learning/spin_lock.hpp"
#include "prior/seed.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

/// What is known about a key when it is admitted.
struct NewKey {
  Key key = {};
  std::vector<std::uint32_t> candidates = {};   ///< variants that can run the key; at least one
  std::uint32_t default_variant = 0;            ///< one of the candidates
  std::vector<std::uint32_t> unsupported = {};  ///< variants that are known not to run the key
  StartingPoint start = {};
  /// The expectations of the candidates before any result; null if the policy does not ask for expectations.
  std::shared_ptr<const Expectations> expectations = {};
  /// The program's estimates of the candidates' costs, as natural logarithms; empty without estimates.
  std::vector<float> log_costs = {};
  /// Bytes of memory that the candidates need; empty if none of them needs any.
  std::vector<std::uint64_t> memory = {};
  std::uint64_t seed = 0;  ///< of the random numbers that the policy gets
};

/// Minimum number of results before anything relies on a leader that has not been promoted.
constexpr std::uint64_t leader_results_min = 8;
/// With expectations: a leader may stand in for an incumbent that is not confirmed if the chance that the
/// incumbent is faster is at most this.
constexpr double provisional_error = 0.1;

/// What a reset of a key does with launches whose results have not come: drop the results, or take them.
enum class LaunchesOut : bool { drop, take };

/// Owns what belongs to one key: its lock, policy, statistics, outstanding timed launches, incumbent and
/// history. It publishes a *plan* in the key's head, by which the launch path decides most calls without the
/// learner, and the variant that pins use.
///
/// `consult`, `record`, `fail`, `note_unsupported` and `take_over` are thread-safe and take the key's lock
/// themselves. The members of the second part need the lock: their caller takes it through `lock()`. Under
/// the lock, no code of the program runs except the policy.
class KeyLearner {
 public:
  /// The caller adds the key's head with `set_head` before any other thread sees the learner. `operation`
  /// must outlive it. Throws `std::bad_alloc`.
  KeyLearner(OperationContext& operation, NewKey key, std::unique_ptr<Policy> policy);
  KeyLearner(const KeyLearner&) = delete;
  KeyLearner& operator=(const KeyLearner&) = delete;

  /// Sets the key's head and publishes the first plan there.
  void set_head(detail::KeyHead& head) noexcept;
  const detail::KeyHead& head() const noexcept { return *head_; }
  const Key& key() const noexcept { return key_; }
  std::uint32_t default_variant() const noexcept { return default_variant_; }

  /// Decides a call for which the plan consults the policy. If another thread holds the lock, the call runs
  /// the plan's variant, untimed.
  Decision consult() noexcept;

  /// Takes the latency of a launch of `variant`, in nanoseconds. `ticket` is that of the launch's decision,
  /// or 0 if the decision was untimed. If the lock stays taken, the result is dropped and counted.
  void record(std::uint32_t variant, std::uint32_t ticket, double ns) noexcept;

  /// Takes the failure of a launch: the variant is set aside for this key.
  void fail(std::uint32_t variant, std::uint32_t ticket) noexcept;

  /// The word that pins watch. Bits 0–15: the pinned variant (`PlannedCalls::pinned`), or the variant that
  /// the program forces. Bits 16–31: the number of its changes, modulo 2^16.
  const std::atomic<std::uint32_t>& pinned() const noexcept { return pinned_; }
  static constexpr std::uint32_t variant_of_pin(std::uint32_t pinned) noexcept { return pinned & 0xFFFFu; }

  /// Notes that `variant` cannot run this key. The caller holds the operation's `Asking` lock.
  void note_unsupported(std::uint32_t variant);

  /// Must be called before anything else is done with the key. In a forked child, the first call makes the
  /// key begin anew from what the parent knew, because the parent itself saves its results. Otherwise it does
  /// nothing. The caller must not hold the lock.
  void take_over() noexcept {
    if (!is_own()) [[unlikely]]
      begin_in_child();
  }

  /// Posts the key's fit to the worker.
  void post_fit() noexcept { operation_.selector.worker.post(fit_); }

  /// Lets the model decide which candidate the key launches first, unless the key has had calls or a table
  /// has measured it. Takes the key's lock.
  void decide_first(const OperationModel& model) noexcept;

  /// Logs a change of the incumbent and passes it to the selector's `ChangeSink`. May call the program's log
  /// callback: the caller must not hold any lock.
  void log_change(const IncumbentChange& change) const noexcept;

  SpinLock& lock() const noexcept { return lock_; }

  // The caller of everything below holds the lock. `unsupported` and the list of candidates change only while
  // the operation's `Asking` lock is held as well, so that either lock is enough to read them.

  /// Whether the results are this process's own, not those of the process that it was forked from.
  bool is_own() const noexcept { return forks_.load(std::memory_order_relaxed) == forks(); }
  /// Whether anything is known about the key, from a table, a neighbour, a prediction or this run.
  bool is_known() const noexcept;
  /// Whether `variant` is a candidate, or is known not to run this key.
  bool is_listed(std::uint32_t variant) const noexcept;

  const KeyStatistics& statistics() const noexcept { return statistics_; }
  /// The program's estimates of the candidates' costs, as natural logarithms; empty without estimates.
  std::span<const float> log_costs() const noexcept { return log_costs_; }
  /// Bytes that the candidates need; empty if none of them needs any.
  std::span<const std::uint64_t> memory() const noexcept { return memory_; }
  /// Whether a candidate keeps the memory limit, or needs the least of all where none does.
  bool fits_memory(std::uint32_t candidate) const noexcept;
  const LatencyWindows& windows() const noexcept { return windows_; }
  const StartingPoint& start() const noexcept { return start_; }
  const Policy& policy() const noexcept { return *policy_; }
  const History& history() const noexcept { return history_; }
  Counters counters() const noexcept {
    Counters sum = counters_;
    sum.results += statistics_.results;
    return sum;
  }
  std::span<const std::uint32_t> unsupported() const noexcept { return unsupported_; }
  /// In a forked child: the results of the parent process.
  const std::vector<SeedVariant>& inherited() const noexcept { return inherited_; }
  /// Number of times that this process has reset the key's results.
  std::uint64_t generation() const noexcept { return generation_; }
  /// Number of calls that explored since the latest beginning.
  double explored_calls() const noexcept { return explored_calls_; }
  /// Time lost by explored launches against the leader, in nanoseconds.
  double lost_ns() const noexcept { return lost_ns_; }
  std::uint32_t variant_of(std::uint32_t candidate) const noexcept {
    return statistics_.candidates[candidate].variant;
  }

  /// The candidate for everything lasting (pins, saved tables, mode `frozen`): the incumbent or, while the
  /// incumbent is not confirmed, a leader that is very likely faster. A promotion needs more evidence.
  std::uint32_t lasting_candidate() const noexcept;
  /// The candidate that the policy runs between explorations, or its replacement if it is not available.
  std::uint32_t leading_candidate() const noexcept {
    return available_or_fallback(policy_->unconsulted(statistics_).candidate);
  }
  /// What the calls of the key do, unless the program forces a variant.
  struct PlannedCalls {
    std::uint32_t variant = 0;     ///< run by calls that do not consult the policy
    std::uint32_t pinned = 0;      ///< the variant that pins use
    double consulted_share = 0.0;  ///< share of the calls that consult the policy
  };
  PlannedCalls planned_calls() const noexcept;
  /// The variant that the program forces, if the key can run it.
  std::optional<std::uint32_t> forced_variant() const noexcept;

  /// Publishes what the calls do from now on: the plan, and the variant that pins use.
  void publish_plan() noexcept;

  /// Begins to learn anew, from `start` and with `policy`. Afterwards `policy` holds the former policy, whose
  /// class may be the program's: the caller destroys it without the lock. Outstanding launches stay
  /// outstanding.
  void begin(StartingPoint start, std::unique_ptr<Policy>& policy);
  /// Forgets all results and begins anew, as `begin` does. The next save declares the former results void.
  void reset(StartingPoint start, LaunchesOut out, std::unique_ptr<Policy>& policy);
  /// Whether the key began with the default because nothing was known about it, and its incumbent has not
  /// changed since. A model that has proved itself in the meantime may then still provide the starting point.
  bool waits_for_model() const noexcept;
  /// Replaces the starting point by `start`, which comes from such a model. The incumbent becomes the
  /// candidate that is the fastest by the belief, which combines the model with the key's own results.
  void begin_late(StartingPoint start) noexcept;
  /// Replaces the starting point by `start`, whose candidate becomes the incumbent. The key's own results
  /// stay.
  void restart_from(StartingPoint start) noexcept;
  /// Adds a candidate. `log_cost`: the natural logarithm of the program's estimate; not used if the key has
  /// no estimates. `memory`: bytes that the candidate needs.
  void add_candidate(std::uint32_t variant, float log_cost, std::uint64_t memory);
  /// Notes that the program has enabled or disabled variants, or has changed the memory limit. Returns the
  /// change of the incumbent, if there is one, for `log_change`.
  std::optional<IncumbentChange> note_availability() noexcept;

 private:
  friend class KeyFit;

  Mode mode() const noexcept { return operation_.selector.running_mode(); }
  const LearningOptions& options() const noexcept { return operation_.selector.learning; }

  // The caller holds the lock, except that of `begin_in_child()`.
  Decision consult_policy(std::uint64_t plan) noexcept;
  Choice choose() noexcept;
  std::uint32_t issue_ticket(std::uint32_t candidate) noexcept;
  std::optional<std::uint32_t> complete_ticket(std::uint32_t variant, std::uint32_t ticket) noexcept;
  void count_as_lost(std::uint32_t candidate, double ns) noexcept;
  std::optional<IncumbentChange> accept(std::uint32_t candidate, double ns) noexcept;
  /// Whether the worker has something to do for the key: a fit of the policy, or new expectations.
  bool is_fit_due() const noexcept { return policy_->fit_due() || are_expectations_due(); }
  bool are_expectations_due() const noexcept;
  void expect_from_start();
  void note_news(std::uint32_t candidate, bool late) noexcept;
  std::optional<IncumbentChange> judge(Mode now) noexcept;
  std::optional<IncumbentChange> promote_if_proven() noexcept;

  bool is_within_budget(std::uint32_t candidate, std::uint32_t leader) const noexcept;
  double share_timing_allows() const noexcept;
  double share_host_timing_allows(std::size_t first_max) const noexcept;

  std::optional<IncumbentChange> promote_if_established() noexcept;
  EventKind kind_of_replacement() const noexcept;
  void note_provisional() noexcept;
  IncumbentChange replace_incumbent(std::uint32_t candidate, EventKind kind,
                                    bool is_above_memory_limit = false) noexcept;
  std::optional<IncumbentChange> leave_unavailable_incumbent(EventKind kind) noexcept;
  std::uint32_t available_or_fallback(std::uint32_t candidate) const noexcept;
  std::uint32_t fastest_in_tables() const noexcept;
  std::uint32_t available_incumbent() const noexcept;
  std::uint32_t available_default() const noexcept;
  void set_availability(VariantStatistics& candidate, std::uint32_t index) const noexcept;
  void set_availability(KeyStatistics& statistics) const noexcept;

  void give_launches_up() noexcept;
  void begin_in_child() noexcept;
  void begin_from_parent(std::unique_ptr<Policy>& policy);
  StartingPoint start_from_parent() const;

  // The members that `record` reads or changes come first, in as few cache lines as possible: with a thousand
  // keys, `record` spends most of its time loading them. The first five members and the last three are read
  // without the lock; the lock guards all others.
  OperationContext& operation_;
  detail::KeyHead* head_ = nullptr;  // set once, before another thread sees the learner
  mutable SpinLock lock_;
  std::atomic<std::uint32_t> forks_{forks()};  // stored under the lock, read without it
  std::atomic<std::uint32_t> pinned_{0};
  std::unique_ptr<Policy> policy_;
  // The expectations before any result; null if the policy does not ask for expectations.
  std::shared_ptr<const Expectations> expected_first_;
  std::uint64_t judged_revision_ = 0;  // `KeyStatistics::revision` when the incumbent was last judged
  Revalidation revalidation_;
  double timed_share_max_ = 1.0;           // share of the calls that the timing budget allows to time
  std::uint32_t expected_generation_ = 0;  // `SharedModel::steps` behind the present expectations
  // Constructed before the members below, so that its memory, most of that of a key, does not lie between
  // theirs: what every result reads is then on few pages.
  Tickets tickets_;
  alignas(64) KeyStatistics statistics_;
  alignas(64) LatencyWindows windows_;

  double lost_ns_ = 0.0;
  double explored_calls_ = 0.0;
  // The incumbent's log latency when it became the incumbent. If its present one is higher, its replacement
  // counts as a demotion.
  double incumbent_location_ = VariantStatistics::none;
  Counters counters_;  // `results` lacks those since the latest beginning, which `statistics_` counts
  std::uint64_t timed_before_ = 0;  // `Counters::timed` at the latest beginning
  // The candidate that stands in for an incumbent that is not confirmed, and that incumbent.
  std::uint32_t provisional_ = 0;
  std::uint32_t provisional_for_ = Tickets::none;
  Random random_;
  History history_;
  std::uint32_t beginnings_ = 0;      // shows whether a fit was started by the present policy
  std::size_t expected_results_ = 0;  // number of candidates with results behind the present expectations
  // Whether the priors come from a table or a near key: first results then show how far off the priors are.
  bool judges_table_ = false;
  std::uint64_t generation_ = 0;
  std::vector<std::uint32_t> unsupported_;
  std::vector<float> log_costs_;
  std::vector<std::uint64_t> memory_;
  StartingPoint start_;
  std::vector<SeedVariant> inherited_;
  // These do not change once another thread sees the learner.
  const Key key_;
  const std::uint32_t default_variant_;
  KeyFit fit_{*this};
};

/// The results of this run for the variants of a key. The caller holds the key's lock.
std::vector<SeedVariant> measured(const KeyStatistics& statistics);

}  // namespace adaptive::core
