// Finds the state of a key without a lock.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <adaptive/detail/key_table.hpp>
#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>
#include "learning/key/key_learner.hpp"
#include "operation/keys/head_arena.hpp"

namespace adaptive::inline v1::core {

/// Any thread may call `find`, `size` and `is_full` at any time; they never wait. All other members need a
/// lock of the caller: only one thread at a time may add keys, and no thread may read the list of keys in the
/// meantime.
///
/// Keys are only ever added. When a table becomes too small, a larger one replaces it. The old table stays
/// readable until the index is destroyed, as do all key states.
class KeyIndex {
 public:
  /// The tables in which the inlined `Operation::select` looks a key up, indexed by the number of its values.
  using TablesBySize = std::array<std::atomic<const detail::KeyTable*>, Key::capacity + 2>;

  /// `by_size` gets a table of the keys with the values that the program passes. If a dimension rounds, the
  /// tables of `by_size` stay empty, and callers look up the rounded key with `find`. `by_size` must outlive
  /// the index.
  KeyIndex(std::span<const Dimension> dimensions, std::size_t keys_max, TablesBySize& by_size);

  /// Returns the head of `key`, whose values must be rounded already (`canonical`); null if the key has no
  /// state.
  const detail::KeyHead* find(const Key& key) const noexcept {
    return latest_table_.load(std::memory_order_acquire)->find(key, detail::hash(key));
  }

  /// All keys in the order in which they were added.
  std::span<const std::unique_ptr<KeyLearner>> keys() const noexcept { return keys_; }
  /// Their number. Any thread may ask.
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  bool is_full() const noexcept { return size() >= keys_max_; }

  /// The latest keys, at most `count`, in the order in which they were added.
  std::span<const std::unique_ptr<KeyLearner>> latest(std::size_t count) const noexcept {
    return keys().last(std::min(count, keys_.size()));
  }

  /// Adds a key that is not in the index, and gives its learner a head, which `find` returns from now on.
  /// Returns null if the address of the head does not fit the table. Throws `std::bad_alloc`. In both cases
  /// no call sees a change.
  const detail::KeyHead* insert(std::unique_ptr<KeyLearner> learner);

 private:
  void make_room();
  void publish_table(detail::KeyTable::Owner table);

  const std::size_t keys_max_;
  const detail::KeyTable::Owner no_keys_ = detail::KeyTable::make(1);
  std::atomic<const detail::KeyTable*>* const own_size_;  // in `by_size`; null if a dimension rounds
  std::vector<detail::KeyTable::Owner> tables_;  // all but the last are kept for threads that still read them
  std::atomic<const detail::KeyTable*> latest_table_{nullptr};
  HeadArena heads_;
  std::vector<std::unique_ptr<KeyLearner>> keys_;
  std::atomic<std::size_t> size_{0};
};

}  // namespace adaptive::core
