#include "operation/keys/key_index.hpp"

#include <utility>

namespace adaptive::inline v1::core {
namespace {

constexpr unsigned table_log2_initial = 6;

bool rounds(const Dimension& dimension) {
  return dimension.rounding != Rounding::none;
}

}  // namespace

KeyIndex::KeyIndex(std::span<const Dimension> dimensions, std::size_t keys_max, TablesBySize& by_size)
    : keys_max_(keys_max),
      own_size_(std::any_of(dimensions.begin(), dimensions.end(), rounds) ? nullptr
                                                                          : &by_size[dimensions.size()]),
      heads_(dimensions.size()) {
  for (auto& table : by_size) table.store(no_keys_.get(), std::memory_order_relaxed);
  publish_table(detail::KeyTable::make(table_log2_initial));
}

void KeyIndex::publish_table(detail::KeyTable::Owner table) {
  tables_.push_back(std::move(table));
  const detail::KeyTable* latest = tables_.back().get();
  latest_table_.store(latest, std::memory_order_release);
  if (own_size_ != nullptr) own_size_->store(latest, std::memory_order_release);
}

void KeyIndex::make_room() {
  if (keys_.size() == keys_.capacity()) keys_.reserve(2 * keys_.size() + 32);
  const std::size_t capacity = tables_.back()->capacity();
  // Keep a table at most half full, so that probes stay short.
  if ((keys_.size() + 1) * 2 <= capacity) return;
  unsigned log2 = 1;
  while ((std::size_t{1} << log2) <= capacity) ++log2;
  auto larger = detail::KeyTable::make(log2);
  for (const auto& key : keys_) larger->insert(key->head(), detail::hash(key->key()));
  publish_table(std::move(larger));
}

const detail::KeyHead* KeyIndex::insert(std::unique_ptr<KeyLearner> learner) {
  make_room();
  detail::KeyHead& head = heads_.add(*learner, learner->key());
  learner->set_head(head);
  if (!tables_.back()->insert(head, detail::hash(learner->key()))) return nullptr;
  keys_.push_back(std::move(learner));
  size_.store(keys_.size(), std::memory_order_relaxed);
  return &head;
}

}  // namespace adaptive::core
