// Decides how a key gets its state, and what a key without a state runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include <adaptive/counters.hpp>
#include <adaptive/operation.hpp>
#include "operation/keys/candidates.hpp"
#include "operation/keys/forced_variants.hpp"
#include "operation/keys/key_index.hpp"
#include "operation/keys/refused_keys.hpp"
#include "operation/locks.hpp"
#include "operation/prior_knowledge.hpp"

namespace adaptive::inline v1::core {

/// Tells the calls of a key where its state is, or what to run without one.
struct Place {
  const detail::KeyHead* head = nullptr;  ///< null: the key has no state
  std::uint32_t variant = 0;              ///< what runs if the key has no state
  bool known = false;  ///< whether a table has an entry for this very key; only for a key without a state
  /// For a key without a state: the answer is valid while `Admission::generation()` has this value. If the
  /// generation is over already, the answer is valid for this call only.
  std::uint32_t generation = 0;
};

/// Whether to wait while another thread asks the program.
enum class Wait : std::uint8_t {
  never,       ///< for calls that launch nothing
  for_safety,  ///< wait only if no variant is certain to be able to run the key
  always
};

/// Admits the keys of an operation: asks the program for candidates, decides the starting point, and adds the
/// key to the index. Every member is thread-safe; each says which of `OperationLocks` its caller must hold,
/// if any.
class Admission {
 public:
  /// All must outlive the object. `forced` belongs to the holder of `OperationLocks::keys_and_seeds`.
  Admission(const OperationSpec& spec, OperationContext& operation, OperationLocks& locks, KeyIndex& keys,
            const RunnableVariants& variants, PriorKnowledge& prior, const ForcedVariants& forced) noexcept
      : spec_(spec),
        operation_(operation),
        locks_(locks),
        keys_(keys),
        variants_(variants),
        prior_(prior),
        forced_(forced) {}

  /// Whether the key has as many values as the operation has dimensions, and each value names a label where
  /// its dimension has labels. Counts and logs a key that does not fit.
  bool fits(const Key& key) noexcept;

  /// Returns the state of a key that fits the operation. Creates the state if necessary, or says what runs if
  /// it cannot be created.
  Place find_place(Key key, Wait wait) noexcept;

  /// Returns the same if a table or this run knows the key or a key near it, otherwise nothing. Never waits.
  std::optional<Place> find_known(Key key) noexcept;

  /// The candidates of a key. The caller holds `asking` and not `keys_and_seeds`.
  Candidates candidates_of(const Key& key) const;

  /// Takes `asking`. Throws `Error` if the program calls this from a function that the operation has called.
  void wait_to_ask(std::unique_lock<Asking>& lock) const;

  /// Rises with every change that may affect what a key without a state runs.
  const std::atomic<std::uint32_t>& generation() const noexcept { return generation_; }
  /// Begins another generation. A thread that reads the new number also sees the changes made before it.
  void begin_generation() noexcept { generation_.fetch_add(1, std::memory_order_release); }

  /// Adds the counters of admission to `sum`.
  void add_counters(Counters& sum) const noexcept;

 private:
  bool may_ask(std::unique_lock<Asking>& lock, Wait wait) noexcept;
  std::optional<Place> find_refused(const Key& key) const noexcept;
  Place for_this_call(std::uint32_t variant) const noexcept;
  void log_not_set_up(std::string_view why) noexcept;
  void note_unsupported(const Key& key, const Candidates& candidates) noexcept;

  // The caller holds `asking`.
  Place admit(const Key& key, Candidates candidates);
  std::optional<Place> admit_known(const Key& key);
  bool begin_known(KeyLearner& key);
  Place refuse(const Key& key);
  /// The caller holds `keys_and_seeds` as well.
  Place add(const Key& key, Candidates candidates, StartingPoint start, std::unique_ptr<Policy> policy);

  const OperationSpec& spec_;
  OperationContext& operation_;
  OperationLocks& locks_;
  KeyIndex& keys_;
  const RunnableVariants& variants_;
  PriorKnowledge& prior_;
  const ForcedVariants& forced_;

  std::unique_ptr<RefusedKeys> refused_owner_;  // made with the first key beyond `max_keys`
  std::atomic<RefusedKeys*> refused_{nullptr};
  std::atomic<std::uint32_t> generation_{0};
  std::atomic<std::uint64_t> wrong_arity_{0};
  std::atomic<std::uint64_t> keys_invalid_{0};
  std::atomic<std::uint64_t> unsupported_{0};
};

}  // namespace adaptive::core
