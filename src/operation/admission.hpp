// How a key comes to its state, and what runs where it gets none.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include <adaptive/counters.hpp>
#include <adaptive/operation.hpp>
#include "operation/candidates.hpp"
#include "operation/forced_variants.hpp"
#include "operation/key_index.hpp"
#include "operation/locks.hpp"
#include "operation/prior_knowledge.hpp"
#include "operation/refused_keys.hpp"

namespace adaptive::inline v1::core {

/// What the calls of a key go by.
struct Place {
  const detail::KeyHead* head = nullptr;  ///< null: the key has no state
  std::uint32_t variant = 0;              ///< runs where the key has no state
  bool known = false;                     ///< a table has an entry for this very key
  /// Without a state: the answer holds until `Admission::generation()` is another. A generation that has
  /// passed already: the answer holds for this call alone.
  std::uint32_t generation = 0;
};

/// Whether to wait while another thread asks the program.
enum class Wait : std::uint8_t {
  never,       ///< for calls that run nothing
  for_safety,  ///< only where no variant is sure to be able to run the key
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

  /// The state of a key that fits. Makes the state if need be, or says what runs where none can be made.
  Place find_place(Key key, Wait wait) noexcept;

  /// The same where a table or this run knows the key or one near it, else nothing. Never waits.
  std::optional<Place> find_known(Key key) noexcept;

  /// The candidates of a key. The caller holds `asking` and not `keys_and_seeds`.
  Candidates candidates_of(const Key& key) const;

  /// Takes `asking`. Throws `Error` where the program calls this from a function that it is asked by.
  void wait_to_ask(std::unique_lock<Asking>& lock) const;

  /// Rises with everything that may change what a key without a state runs.
  const std::atomic<std::uint32_t>& generation() const noexcept { return generation_; }
  /// Begins another generation. A thread that sees its number sees what changed before it.
  void begin_generation() noexcept { generation_.fetch_add(1, std::memory_order_release); }

  /// Adds to `sum` what admission counts.
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
