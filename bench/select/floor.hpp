// A lower bound for any selector: one hash and one probe of a table that never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <adaptive/detail/key_table.hpp>
#include <adaptive/key.hpp>

namespace bench {

/// A hash table written for this benchmark alone: open addressing with linear probing, half full, keys and
/// values inline, with the library's own hash. Nothing is atomic, and nothing can be learned or added.
class FrozenTable {
 public:
  explicit FrozenTable(const std::vector<adaptive::Key>& keys);

  std::uint32_t find(const adaptive::Key& key) const noexcept {
    for (std::size_t i = adaptive::detail::hash(key) >> shift_;; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.key == key) return slot.value;
      if (slot.key.size() == 0) return 0;
    }
  }

 private:
  struct Slot {
    adaptive::Key key;
    std::uint32_t value = 0;
  };
  unsigned shift_ = 63;
  std::size_t mask_ = 1;
  std::vector<Slot> slots_;
};

}  // namespace bench
