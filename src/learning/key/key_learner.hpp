// What one key learns, and what its calls run.
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

/// What a key is admitted with.
struct NewKey {
  Key key = {};
  std::vector<std::uint32_t> candidates = {};   ///< variants that can run the key; at least one
  std::uint32_t default_variant = 0;            ///< one of the candidates
  std::vector<std::uint32_t> unsupported = {};  ///< variants that are known not to run the key
  StartingPoint start = {};
  /// What is expected of the candidates before anything is known; null if the policy does not ask for it.
  std::shared_ptr<const Expectations> expectations = {};
  std::vector<float> log_costs = {};  ///< of the candidates, by the program's estimate; empty without one
  std::uint64_t seed = 0;             ///< of the random numbers that the policy gets
};

/// Results that a leader must have before anything relies on it without a promotion.
constexpr std::uint64_t leader_results_min = 8;
/// Where the policy asks for expectations, they also speak: the chance, at most, that the incumbent is faster
/// than the candidate that stands in for it.
constexpr double provisional_error = 0.1;

/// What becomes of launches whose results have not come when a key is reset.
enum class LaunchesOut : bool { drop, take };

/// The learner of one key: its policy, its statistics, the timed launches whose results are outstanding, the
/// incumbent and how it changed. It publishes a *plan* in the key's head, by which the launch path decides
/// most calls without asking the learner, and what pins refer to.
///
/// `consult`, `record` and `fail` are thread-safe and take the key's lock themselves, as do
/// `note_unsupported` and `take_over`. The members of the second part need the lock, which their caller takes
/// by `lock()`. Under the lock no code of the program runs but the policy.
class KeyLearner {
 public:
  /// The caller adds the key's head with `set_head` before any other thread sees the learner. `operation`
  /// must outlive it. Throws `std::bad_alloc`.
  KeyLearner(OperationContext& operation, NewKey key, std::unique_ptr<Policy> policy);
  KeyLearner(const KeyLearner&) = delete;
  KeyLearner& operator=(const KeyLearner&) = delete;

  /// The key's head, in which the learner publishes its first plan at once.
  void set_head(detail::KeyHead& head) noexcept;
  const detail::KeyHead& head() const noexcept { return *head_; }
  const Key& key() const noexcept { return key_; }
  std::uint32_t default_variant() const noexcept { return default_variant_; }

  /// Decides a call that the plan puts to the policy. Where another thread holds the lock, the call runs the
  /// plan's variant, untimed.
  Decision consult() noexcept;

  /// Takes the latency of a launch of `variant`, in nanoseconds. `ticket` is that of the launch's decision, 0
  /// for an untimed one. Gives the result up, and counts it, where the lock stays taken.
  void record(std::uint32_t variant, std::uint32_t ticket, double ns) noexcept;

  /// Takes the failure of a launch: the variant is set aside for this key.
  void fail(std::uint32_t variant, std::uint32_t ticket) noexcept;

  /// The word that pins watch. Bits 0–15: the variant of `lasting_candidate`, unless the mode or the program
  /// says otherwise. Bits 16–31: how often that has changed, modulo 2^16.
  const std::atomic<std::uint32_t>& pinned() const noexcept { return pinned_; }
  static constexpr std::uint32_t variant_of_pin(std::uint32_t pinned) noexcept { return pinned & 0xFFFFu; }

  /// Notes that `variant` cannot run this key. The caller holds the operation's `Asking` lock.
  void note_unsupported(std::uint32_t variant);

  /// In a forked child, before its first look at a key of its parent: the parent's results are the parent's
  /// to save, so the key begins anew, from what the parent knew. Does nothing elsewhere. The caller does not
  /// hold the lock.
  void take_over() noexcept {
    if (!is_own()) [[unlikely]]
      begin_in_child();
  }

  /// Makes the fit of the key due on the worker.
  void post_fit() noexcept { operation_.selector.worker.post(fit_); }

  /// Lets the model decide which candidate the key launches first, if nothing else does. Takes the key's
  /// lock.
  void decide_first(const OperationModel& model) noexcept;

  /// Logs a change of the incumbent and tells those who watch. May call the program's log callback: no lock
  /// may be held.
  void log_change(const IncumbentChange& change) const noexcept;

  SpinLock& lock() const noexcept { return lock_; }

  // The caller of everything below holds the lock. Whoever changes `unsupported` or the list of candidates
  // also holds the operation's `Asking` lock, so that either lock is enough to read them.

  /// Whether the results are of this process, not of one that it was forked from.
  bool is_own() const noexcept { return forks_.load(std::memory_order_relaxed) == forks(); }
  /// Whether a table, a neighbour, a prediction or this run says anything of the key.
  bool is_known() const noexcept;
  /// Whether `variant` is a candidate, or is known not to run this key.
  bool is_listed(std::uint32_t variant) const noexcept;

  const KeyStatistics& statistics() const noexcept { return statistics_; }
  /// Of the candidates, by the program's estimate; empty without one.
  std::span<const float> log_costs() const noexcept { return log_costs_; }
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
  /// In a forked child: what the parent process had measured.
  const std::vector<SeedVariant>& inherited() const noexcept { return inherited_; }
  /// How often this process has reset the key's results.
  std::uint64_t generation() const noexcept { return generation_; }
  double explored_calls() const noexcept { return explored_calls_; }
  /// Time lost by explored launches against the leader, in nanoseconds.
  double lost_ns() const noexcept { return lost_ns_; }
  std::uint32_t variant_of(std::uint32_t candidate) const noexcept {
    return statistics_.candidates[candidate].variant;
  }

  /// The candidate for everything lasting (pins, saved tables, mode `frozen`): the incumbent or, while no
  /// incumbent is confirmed, a leader that is very likely faster than the incumbent. A promotion takes more.
  std::uint32_t lasting_candidate() const noexcept;
  /// The candidate that leads for the policy, or what runs instead where that one is not available.
  std::uint32_t leading_candidate() const noexcept {
    return available_or_fallback(policy_->unconsulted(statistics_).candidate);
  }
  /// What the calls of the key are to do, unless the program forces a variant.
  struct PlannedCalls {
    std::uint32_t variant = 0;     ///< run by calls that are not put to the policy
    std::uint32_t pinned = 0;      ///< the variant that pins name
    double consulted_share = 0.0;  ///< share of the calls that are put to the policy
  };
  PlannedCalls planned_calls() const noexcept;
  /// The variant that the program forces, if the key can run it.
  std::optional<std::uint32_t> forced_variant() const noexcept;

  /// Publishes what the calls are to do from now on: the plan, and what pins refer to.
  void publish_plan() noexcept;

  /// Begins to learn anew, from `start`, with `policy`. Afterwards `policy` is the former one, which may be
  /// the program's: the caller destroys it without the lock. Launches that are out stay so.
  void begin(StartingPoint start, std::unique_ptr<Policy>& policy);
  /// Forgets all results and begins anew, as above. The next save tells that the former results are void.
  void reset(StartingPoint start, LaunchesOut out, std::unique_ptr<Policy>& policy);
  /// Whether the key began with the default because nothing was known of it, and nothing has changed its
  /// incumbent since: a model that proves itself now may still say where the key should have begun.
  bool waits_for_model() const noexcept;
  /// Makes `start`, by such a model, the starting point, and the candidate that the model and the key's own
  /// results let expect to be the fastest the incumbent.
  void begin_late(StartingPoint start) noexcept;
  /// Makes `start` the starting point, and its candidate the incumbent. What has been measured stays.
  void restart_from(StartingPoint start) noexcept;
  /// Adds a candidate. `log_cost` is of the program's estimate, if there is one.
  void add_candidate(std::uint32_t variant, float log_cost);
  /// Takes up that `variant` was enabled or disabled. Returns the change of the incumbent, for `log_change`.
  std::optional<IncumbentChange> note_enabled(std::uint32_t variant) noexcept;

 private:
  friend class KeyFit;

  Mode mode() const noexcept { return operation_.selector.running_mode(); }
  const LearningOptions& options() const noexcept { return operation_.selector.learning; }

  // The lock is held, but for `begin_in_child()`.
  Decision consult_policy(std::uint64_t plan) noexcept;
  Choice choose() noexcept;
  std::uint32_t issue_ticket(std::uint32_t candidate) noexcept;
  std::optional<std::uint32_t> complete_ticket(std::uint32_t variant, std::uint32_t ticket) noexcept;
  void count_as_lost(std::uint32_t candidate, double ns) noexcept;
  std::optional<IncumbentChange> accept(std::uint32_t candidate, double ns) noexcept;
  /// Whether the worker is to make something for the key: a fit of the policy, or other expectations.
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
  IncumbentChange replace_incumbent(std::uint32_t candidate, EventKind kind) noexcept;
  std::optional<IncumbentChange> leave_unavailable_incumbent(EventKind kind) noexcept;
  std::uint32_t available_or_fallback(std::uint32_t candidate) const noexcept;
  std::uint32_t fastest_in_tables() const noexcept;
  std::uint32_t available_incumbent() const noexcept;
  std::uint32_t available_default() const noexcept;
  void set_availability(VariantStatistics& candidate) const noexcept;

  void give_launches_up() noexcept;
  void begin_in_child() noexcept;
  void begin_from_parent(std::unique_ptr<Policy>& policy);
  StartingPoint start_from_parent() const;

  // What a result reads or changes comes first, in as few lines of the cache as possible: with a thousand
  // keys the time of `record` is mostly that of loading them. The first five members and the last three are
  // read without the lock; the others belong to its holder.
  OperationContext& operation_;
  detail::KeyHead* head_ = nullptr;  // set once, before another thread sees the learner
  mutable SpinLock lock_;
  std::atomic<std::uint32_t> forks_{forks()};  // stored under the lock, read without
  std::atomic<std::uint32_t> pinned_{0};
  std::unique_ptr<Policy> policy_;
  // What is expected before anything is known; null if the policy does not ask for expectations.
  std::shared_ptr<const Expectations> expected_first_;
  std::uint64_t judged_revision_ = 0;  // of the statistics by which the incumbent was judged
  Revalidation revalidation_;
  double timed_share_max_ = 1.0;           // of the calls, by what timing costs
  std::uint32_t expected_generation_ = 0;  // of the model behind the present expectations
  // Its memory, most of a key's, is allocated ahead of what every result reads, which then lies on few pages.
  Tickets tickets_;
  alignas(64) KeyStatistics statistics_;
  alignas(64) LatencyWindows windows_;

  double lost_ns_ = 0.0;
  double explored_calls_ = 0.0;
  // The incumbent's log latency when it became the incumbent: demotion compares the present one with it.
  double incumbent_location_ = VariantStatistics::none;
  Counters counters_;  // but for `results`: those since the latest beginning are the statistics' own
  std::uint64_t timed_before_ = 0;  // `Counters::timed` at the latest beginning
  // The candidate that stands in for an incumbent that is not confirmed, and which incumbent that was.
  std::uint32_t provisional_ = 0;
  std::uint32_t provisional_for_ = Tickets::none;
  Random random_;
  History history_;
  std::uint32_t beginnings_ = 0;      // tells whether a fit was started by the present policy
  std::size_t expected_results_ = 0;  // candidates with results when a table was last judged by them
  bool judges_table_ = false;  // whether a table or a near key has latencies, which first results judge
  std::uint64_t generation_ = 0;
  std::vector<std::uint32_t> unsupported_;
  std::vector<float> log_costs_;
  StartingPoint start_;
  std::vector<SeedVariant> inherited_;
  // These do not change once another thread sees the learner.
  const Key key_;
  const std::uint32_t default_variant_;
  KeyFit fit_{*this};
};

/// What this run knows of the variants of a key, whose lock is held.
std::vector<SeedVariant> measured(const KeyStatistics& statistics);

}  // namespace adaptive::core
