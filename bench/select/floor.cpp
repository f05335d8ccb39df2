#include "floor.hpp"

namespace bench {

FrozenTable::FrozenTable(const std::vector<adaptive::Key>& keys) {
  while (mask_ + 1 < 2 * keys.size()) {
    mask_ = 2 * mask_ + 1;
    --shift_;
  }
  slots_.resize(mask_ + 1);
  std::uint32_t value = 0;
  for (const adaptive::Key& key : keys) {
    std::size_t i = adaptive::detail::hash(key) >> shift_;
    while (slots_[i].key.size() != 0) i = (i + 1) & mask_;
    slots_[i] = {key, value++ % 2};
  }
}

}  // namespace bench
