// Owns the heads of an operation's keys.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <adaptive/detail/key_table.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {

class KeyLearner;

/// Stores heads side by side in chunks that never move. Not thread-safe.
class HeadArena {
 public:
  explicit HeadArena(std::size_t dimensions) : stride_(detail::KeyHead::stride(dimensions)) {}

  /// Adds a head with the key's values. A head that is never published stays unused until the arena is
  /// destroyed.
  detail::KeyHead& add(KeyLearner& learner, const Key& key) {
    if (used_ == chunks_.size() * chunk_heads) {
      Chunk chunk(static_cast<std::byte*>(
          ::operator new (chunk_heads* stride_, std::align_val_t{detail::KeyHead::line})));
      chunks_.push_back(std::move(chunk));
    }
    auto* head = ::new (chunks_.back().get() + used_ % chunk_heads * stride_) detail::KeyHead;
    ++used_;
    head->learner = &learner;
    for (std::size_t i = 0; i < key.size(); ++i) ::new (head->values() + i) std::int64_t(key[i]);
    return *head;
  }

 private:
  static constexpr std::size_t chunk_heads = 64;
  struct Delete {
    void operator()(std::byte* memory) const noexcept {
      ::operator delete (memory, std::align_val_t{detail::KeyHead::line});
    }
  };
  std::size_t stride_;
  std::size_t used_ = 0;
  using Chunk = std::unique_ptr<std::byte, Delete>;
  std::vector<Chunk> chunks_;
};

}  // namespace adaptive::core
