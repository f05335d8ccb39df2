// The latest changes of a key's incumbent.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <adaptive/explanation.hpp>

namespace adaptive::inline v1::core {

struct HistoryEntry {
  EventKind kind = EventKind::promotion;
  std::uint32_t from = 0;   // the incumbent before, a variant of the operation
  std::uint32_t to = 0;     // the incumbent afterwards
  double gain = 0.0;        // share of the latency that the change saves; 0 unless both have results
  double calls = 0.0;       // number of the key's calls at the change
  std::uint64_t epoch = 0;  // the epoch that began with the change
};

/// The latest changes, oldest first. Allocates nothing, since `record` adds to it. Not thread-safe.
class History {
 public:
  static constexpr std::size_t capacity = 16;

  /// Adds a change. If there are `capacity` changes already, the oldest is dropped.
  void add(const HistoryEntry& entry) noexcept {
    if (size_ == capacity) {
      std::copy(entries_.begin() + 1, entries_.end(), entries_.begin());
      --size_;
    }
    entries_[size_++] = entry;
  }
  void clear() noexcept { size_ = 0; }

  const HistoryEntry* begin() const noexcept { return entries_.data(); }
  const HistoryEntry* end() const noexcept { return entries_.data() + size_; }

 private:
  std::array<HistoryEntry, capacity> entries_{};
  std::size_t size_ = 0;
};

}  // namespace adaptive::core
