// The keys of an operation that have a state, and the tables by which calls find them.
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
#include "learning/key_learner.hpp"
#include "operation/head_arena.hpp"

namespace adaptive::inline v1::core {

/// Any thread may call `find` at any time, and it never waits. All other members need the caller's lock: one
/// thread at a time adds keys, and nobody reads the list meanwhile.
///
/// Keys are only ever added. A table that has become too small is replaced by a larger one, and stays
/// readable until the index is destroyed, as do all key states.
class KeyIndex {
 public:
  /// Where the inlined `Operation::select` looks a key up, by the number of its values.
  using TablesBySize = std::array<std::atomic<const detail::KeyTable*>, Key::capacity + 2>;

  /// Keys are found as the program spells them through `by_size`, unless a dimension rounds: then `by_size`
  /// leads nowhere, and callers look up the rounded key with `find`. `by_size` must outlive the index.
  KeyIndex(std::span<const Dimension> dimensions, std::size_t keys_max, TablesBySize& by_size);

  /// The head of `key`, whose values are rounded already (`canonical`); null where the key has no state.
  const detail::KeyHead* find(const Key& key) const noexcept {
    return latest_table_.load(std::memory_order_acquire)->find(key, detail::hash(key));
  }

  /// All keys in the order in which they were added.
  std::span<const std::unique_ptr<KeyLearner>> keys() const noexcept { return keys_; }
  std::size_t size() const noexcept { return keys_.size(); }
  bool is_full() const noexcept { return keys_.size() >= keys_max_; }

  /// The latest keys, `count` of them at most, in the same order.
  std::span<const std::unique_ptr<KeyLearner>> latest(std::size_t count) const noexcept {
    return keys().last(std::min(count, keys_.size()));
  }

  /// Adds a key that is not there yet, and gives its learner a head. From now on `find` gives that head. Null
  /// where the address of the head does not fit the table. Throws `std::bad_alloc`. In both cases nothing has
  /// changed that a call could see.
  const detail::KeyHead* insert(std::unique_ptr<KeyLearner> learner);

 private:
  void make_room();
  void publish_table(detail::KeyTable::Owner table);

  const std::size_t keys_max_;
  const detail::KeyTable::Owner no_keys_ = detail::KeyTable::make(1);
  std::atomic<const detail::KeyTable*>* const own_size_;  // in `by_size`; null where a dimension rounds
  std::vector<detail::KeyTable::Owner> tables_;           // all but the last for those who still read them
  std::atomic<const detail::KeyTable*> latest_table_{nullptr};
  HeadArena heads_;
  std::vector<std::unique_ptr<KeyLearner>> keys_;
};

}  // namespace adaptive::core
