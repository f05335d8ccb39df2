// An operation behind its face: keys, seeds, learning. Who reads on: `admission.cpp` makes a key of what
// `candidates.cpp` has asked the program, `learning.cpp` decides its calls and takes its results,
// `control.cpp` is what the program changes while running, `explain.cpp` and `snapshot.cpp` are what leaves.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/operation.hpp>
#include "learning/key_state.hpp"
#include "operation/asking.hpp"
#include "operation/fits.hpp"
#include "operation/head_arena.hpp"
#include "operation/refused_keys.hpp"
#include "operation/shared.hpp"
#include "operation/variant_list.hpp"
#include "prior/seed.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

/// Of everything that tables name. The longest name that a table can hold.
constexpr std::size_t name_bytes_max = 1024;

/// Throws `Error` where a name could not be stored in a table.
void check_variant(const Variant& variant, const std::string& where);

/// Locks, in the order in which they are taken. `asking_`: its holder may call
/// the functions of the program that say what a key can run, and add keys; nobody calls them otherwise.
/// `admin_` guards the seeds and everything that goes over all keys; no function of the program runs while it
/// is held but a policy, so that what needs `admin_` alone never waits for the program. Each key has its own.
///
/// The list of keys and the variants that a key knows of change only where `asking_` and the lock below it
/// are both held: either is enough to read them. The worker thread only ever tries `admin_`.
class OperationState {
 public:
  /// Throws `Error` for an invalid specification.
  OperationState(Operation& face, Shared& shared, OperationSpec spec);
  ~OperationState();

  // The launch path.
  Decision select_unknown(const Key& key) noexcept;
  std::optional<Decision> select_known(Key key) noexcept;
  Decision consult(const detail::KeyHead& head) noexcept;
  void record(const detail::KeyHead* head, std::uint32_t variant, std::uint32_t ticket, double ns) noexcept;
  void fail(const detail::KeyHead* head, std::uint32_t variant, std::uint32_t ticket) noexcept;
  /// Whether the key has as many values as the operation has dimensions, and each of them names labels of its
  /// dimension. Counts and tells it where that is not so.
  bool fits(const Key& key) noexcept;
  /// What the calls of a key go by.
  struct Place {
    const detail::KeyHead* head = nullptr;  ///< null: the key has no state
    /// What runs without one.
    std::uint32_t variant = 0;
    bool known = false;  ///< a table has an entry for this very key
    /// Holds until `generation()` is another; one that has passed already: holds for this call alone.
    std::uint32_t generation = 0;
  };
  /// Whether to wait while another thread asks the program.
  enum class Wait : std::uint8_t { never, for_safety, always };
  /// The state of `key`, made if need be, or what runs where none can be made. `Wait::for_safety` waits where
  /// nothing else is sure to be able to run the key; `Wait::never` is for calls that run nothing.
  Place find_place(Key key, Wait wait) noexcept;
  /// The state of a key as `canonical` gives it; null where it has none.
  const detail::KeyHead* find(const Key& key) const noexcept;
  /// Rises with everything that may change what a key without a state runs.
  const std::atomic<std::uint32_t>& generation() const noexcept { return generation_; }

  // What the program changes.
  void add_seeds(std::vector<SeedEntry> seeds, bool keep_old);
  /// Fits the predictor to what is known by now, on the calling thread. Not for the launch path, which goes
  /// on with the former one meanwhile.
  void fit_predictions();
  /// Makes such a fit due on the worker thread, which does it where this run has learned much since the last.
  void post_predictions() noexcept {
    if (shared_.predictor != nullptr) shared_.worker.post(prediction_fit_);
  }
  void republish();
  std::uint64_t push_forced(std::uint32_t variant);
  void pop_forced(std::uint64_t id) noexcept;
  void enable(std::uint32_t variant, bool enabled);
  void note_timing_cost(double ns) noexcept {
    // Told at every timed launch: no shared write where nothing changes.
    if (noted_timing_cost_ns_.load(std::memory_order_relaxed) != ns)
      noted_timing_cost_ns_.store(ns, std::memory_order_relaxed);
  }
  std::uint32_t add_variant(Variant variant);
  /// What a table names, made by the program's `parse`; nothing where that cannot.
  std::optional<std::uint32_t> parse_variant(const std::string& name, const Parameters& parameters) noexcept;
  /// Every key begins again where the tables say; what has been measured stays.
  void start_from_tables();
  /// What becomes of the results of launches that are still out.
  enum class LaunchesOut : bool { drop, take };
  void reset(LaunchesOut out = LaunchesOut::drop);
  bool reset(const Key& key);

  // What leaves.
  Explanation explain(const Key& asked) const;
  Counters counters() const;
  Account account() const;
  std::vector<Key> keys() const;
  const Fingerprint& device() const noexcept { return shared_.device; }
  /// Every key that this run has results or failures of, or has reset.
  std::vector<SeedEntry> snapshot() const;

  /// How often results have been reset, summed over the keys.
  std::uint64_t resets() const noexcept { return resets_.load(std::memory_order_relaxed); }

  const OperationSpec& spec() const noexcept { return spec_; }
  const VariantList& variants() const noexcept { return variants_; }
  std::optional<std::uint32_t> find_variant(std::string_view name) const noexcept;
  void check_arity(const Key& key) const;
  /// Throws `Error` where the number of values is wrong, or a value names no label of its dimension.
  void check_key(const Key& key) const;

 private:
  friend class KeyFit;
  friend class PredictionFit;

  enum class Trouble : unsigned { arity, value, keys, unsupported, exception, parse, policy };
  struct Candidates {
    std::vector<std::uint32_t> variants;
    std::vector<std::uint32_t> unsupported;
    std::uint32_t fallback = 0;
    bool can_run = true;  ///< false: none can, and the one there is runs all the same
  };

  // Asking the program; `asking_` is held and `admin_` is not, but where something else is said.
  /// Takes `asking_`, or counts that it could not. False where the calling thread is being asked already.
  bool may_ask(std::unique_lock<Asking>& lock, Wait wait) noexcept;
  /// Waits for `asking_`. Throws `Error` where the calling thread is being asked already.
  void ask(std::unique_lock<Asking>& lock) const;
  Candidates named_candidates(const Key& key) const;
  /// The same with what `parse` made of the key's own entry, and whether forced variants can run the key.
  Candidates candidates_of(const Key& key) const;
  bool supports(std::uint32_t variant, const Key& key) const;
  /// The same where nobody is there to take an exception.
  bool can_run(std::uint32_t variant, const Key& key) const noexcept;
  std::unique_ptr<Policy> new_policy() const;
  std::optional<Place> find_known(const Key& key) noexcept;
  /// Begins anew where more is known by now than when the key began; false where nothing is.
  bool begin_known(KeyState& key);
  Place refuse(const Key& key);
  /// Where the program's functions throw: the first variant that says that it can run the key.
  std::uint32_t first_that_can_run(const Key& key) const noexcept;
  void list(Variant variant, bool parsed);
  /// Appends a variant and offers it to the keys, for which alone `asking_` is needed: where `candidates`
  /// names those of a key, nobody is asked.
  std::uint32_t append(Variant variant, bool parsed);

  // Without asking; no lock is needed.
  /// A variant that is sure to be able to run every key and, as far as `numeric_class` goes, may: nothing
  /// where only the program can tell.
  std::optional<std::uint32_t> variant_without_asking() const noexcept;
  std::optional<Place> find_refused(const Key& key) const noexcept;
  Place for_this_call(std::uint32_t variant) const noexcept;
  void change_generation() noexcept;
  std::uint32_t runs_unless_forced(const Candidates& candidates, std::uint32_t start) const noexcept;
  std::uint32_t runs_without_state(const Candidates& candidates, std::uint32_t start) const noexcept;
  void note_unsupported(const Key& key, const Candidates& candidates) noexcept;
  void say_not_set_up(std::string_view why) noexcept;
  /// Leaves only variants whose results are bit for bit those of the default.
  void keep_numeric_class(Candidates& candidates) const;
  bool may_stand_in(std::uint32_t variant, std::uint32_t default_variant) const;
  /// Whether the key knows if it can run the variant.
  static bool is_listed(const KeyState& key, std::uint32_t variant) noexcept;

  // Admission; `admin_` is held.
  StartingPoint start_of(const Key& key, Candidates& candidates) const;
  /// For a key beyond `max_keys`.
  StartingPoint start_of_refused(const Key& key, const Candidates& candidates) const;
  /// For a key that has its candidates.
  StartingPoint start_again(const KeyState& key, std::span<const Neighbour> neighbours) const {
    return start_again(key, seeds_, neighbours);
  }
  StartingPoint start_again(const KeyState& key, const Seeds& seeds,
                            std::span<const Neighbour> neighbours) const;
  Proof proof() const noexcept;
  std::vector<Neighbour> neighbours_of(const Key& key) const;
  /// Null: nothing is to be predicted.
  const Predictor* predictor() const noexcept {
    return spec_.nearest_limit >= 0.0 ? predictor_.get() : nullptr;
  }
  /// How many variants of how many keys have been measured, together, by tables and in this run.
  std::size_t known_by_now() const;
  std::vector<KnownKey> known_keys() const;
  /// Whether the run has learned much since the latest fit; `admin_` is held.
  bool prediction_due() const;
  /// Begins a fit: what it is to be made of, and its number. `admin_` is held.
  std::uint64_t begin_fit(std::vector<KnownKey>& known);
  /// Hands back the former predictor, or `fitted` where a later fit was quicker. `admin_` is held.
  void take(std::unique_ptr<Predictor>& fitted, std::uint64_t number) noexcept;
  std::size_t first_of_run() const noexcept;
  KeyState& admit(const Key& key, Candidates candidates, StartingPoint start, std::unique_ptr<Policy> policy);
  bool is_known(const KeyState& key) const noexcept;
  /// The key begins to learn, with `policy`; its former policy, which may be the program's, is handed back,
  /// to be destroyed without the key's lock. Launches that are out stay so.
  void begin(KeyState& key, std::unique_ptr<Policy>& policy) const;
  /// Gives the candidates the priors of its starting point.
  static void take_priors(const StartingPoint& start, KeyStatistics& statistics) noexcept;
  /// Places the candidates in the space of their parameters, which keys with the same ones share.
  void take_parameters(KeyStatistics& statistics) const;
  std::shared_ptr<const ParameterSpace> space_of(std::span<const std::uint32_t> candidates) const;
  void restart(KeyState& key, std::span<const Neighbour> neighbours, LaunchesOut out,
               std::unique_ptr<Policy>& policy);
  /// Whether the key's results are of this process, not of one that it was forked from. The key's lock is
  /// held.
  static bool is_own(const KeyState& key) noexcept {
    return key.forks.load(std::memory_order_relaxed) == forks();
  }
  /// In a forked child, before its first look at a key of its parent: the parent's results are the parent's
  /// to save. The key begins anew, from what the parent knew. Without the key's lock.
  void take_over(KeyState& key) const noexcept {
    if (!is_own(key)) [[unlikely]]
      begin_in_child(key);
  }
  void begin_in_child(KeyState& key) const noexcept;
  void begin_in_child(KeyState& key, std::unique_ptr<Policy>& policy) const;
  /// In the list of keys and in the table, for one more.
  void make_room();
  /// From now on keys are looked up in `table`.
  void publish(detail::KeyTable::Owner table);

  // Learning; the key's lock is held.
  Decision consult_locked(const detail::KeyHead& head, std::uint64_t plan) noexcept;
  bool within_budget(const KeyState& key, std::uint32_t candidate, std::uint32_t leader) const noexcept;
  double timing_cost_ns() const noexcept;
  /// The share of calls that may be timed.
  double affordable(const KeyState& key) const noexcept;
  // Those that change the incumbent return the change, for `tell`.
  std::optional<HistoryEntry> accept(KeyState& key, std::uint32_t candidate, double ns) noexcept;
  std::optional<HistoryEntry> settle(KeyState& key) noexcept;
  HistoryEntry replace_incumbent(KeyState& key, std::uint32_t candidate, EventKind kind) noexcept;
  /// The candidate that tables and mode `frozen` take: the incumbent, or, while the key is not settled,
  /// a leader that is surely faster than the incumbent. A promotion takes more, that it be surely the best of
  /// all.
  std::uint32_t standing(const KeyState& key) const noexcept;
  /// What the calls of a key do that are not put to the policy, unless the program forces a variant.
  struct Resting {
    std::uint32_t variant = 0;
    std::uint32_t pinned = 0;  ///< what pins refer to
    double consulted = 0.0;    ///< share of the calls that are put to the policy
  };
  Resting resting(const KeyState& key) const noexcept;
  /// The variant that the program forces, if the key can run it.
  std::optional<std::uint32_t> forced_on(const KeyState& key) const noexcept;
  void publish(KeyState& key) noexcept;
  /// The available candidate that the tables say is the fastest: the same in every process that has them.
  static std::uint32_t next_of_tables(const KeyState& key) noexcept;
  std::uint32_t choosable(const KeyState& key, std::uint32_t candidate) const noexcept;
  std::optional<std::uint32_t> resolve(KeyState& key, std::uint32_t variant, std::uint32_t ticket) noexcept;
  void set_availability(VariantStatistics& candidate) const noexcept;
  static std::uint32_t available_incumbent(const KeyState& key) noexcept;
  /// The key's default, or the first candidate that is available where the default is not and another is.
  static std::uint32_t available_default(const KeyState& key) noexcept;
  std::optional<HistoryEntry> leave_unavailable_incumbent(KeyState& key, EventKind kind) noexcept;

  /// Logs a change of the incumbent. The program's callback runs in it: no lock may be held.
  void tell(const KeyState& key, const HistoryEntry& change) const noexcept;

  template <class F>
  void for_each_key(F&& f) const;
  void once(Trouble trouble, LogLevel level, std::string_view line, std::string_view detail = {}) noexcept;

  Operation& face_;
  Shared& shared_;
  const OperationSpec spec_;  // its variants have moved to `variants_`
  VariantList variants_;

  mutable Asking asking_;
  mutable std::mutex admin_;
  const detail::KeyTable::Owner no_keys_ = detail::KeyTable::make(1);
  std::vector<detail::KeyTable::Owner> tables_;          // all but the last for those who still read them
  std::atomic<const detail::KeyTable*> table_{nullptr};  // the last, by canonical keys
  HeadArena heads_;
  std::vector<std::unique_ptr<KeyState>> keys_;
  std::unique_ptr<RefusedKeys> refused_owner_;  // made with the first key beyond `max_keys`
  std::atomic<RefusedKeys*> refused_{nullptr};
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<bool> several_classes_{false};
  Seeds seeds_;
  std::unique_ptr<Predictor> predictor_;
  std::size_t measured_at_fit_ = 0;
  std::uint64_t fits_begun_ = 0;
  std::uint64_t fit_in_use_ = 0;
  mutable std::vector<std::uint32_t> placed_;  // candidates of the latest key, and their space
  mutable std::shared_ptr<const ParameterSpace> space_;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> forced_;
  std::uint64_t forced_count_ = 0;

  PredictionFit prediction_fit_{*this};

  static constexpr std::uint32_t not_forced = ~std::uint32_t{0};
  std::atomic<std::uint32_t> forced_variant_{not_forced};  // released and acquired, as plans are
  std::atomic<unsigned> said_{0};
  std::atomic<std::uint64_t> resets_{0};
  std::atomic<double> noted_timing_cost_ns_{0.0};
  std::atomic<std::uint64_t> wrong_arity_{0}, keys_invalid_{0}, unsupported_{0}, contended_{0}, dropped_{0},
      invalid_{0}, failures_elsewhere_{0};
};

template <class F>
void OperationState::for_each_key(F&& f) const {
  for (const auto& key : keys_) {
    const std::lock_guard lock(key->lock);
    f(*key);
  }
}

}  // namespace adaptive::core
