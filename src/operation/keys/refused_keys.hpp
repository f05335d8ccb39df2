// A cache of what keys without a state run, so that the program is not asked at every call.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <adaptive/detail/key_table.hpp>
#include <adaptive/detail/ticks.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {

/// A set-associative cache of fixed size for the keys beyond `OperationSpec::max_keys`. It allocates only in
/// its constructor. If other keys have displaced a key, the program is asked about that key again.
class RefusedKeys {
 public:
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t sets = 1024;

  struct Answer {
    std::uint32_t variant = 0;  ///< below 2^16
    bool known = false;         ///< a table has an entry for exactly this key
  };

  explicit RefusedKeys(std::size_t dimensions)
      : dimensions_(dimensions),
        stride_((header_words + dimensions + line_words - 1) / line_words),
        lines_(std::make_unique<Line[]>(sets * ways * stride_)) {}

  /// Returns the answer that was stored for `key` in the same generation. Wait-free for any number of
  /// threads. An entry that is being replaced counts as absent.
  std::optional<Answer> find(const Key& key, std::uint32_t generation) const noexcept {
    const std::size_t first = first_way(key);
    for (std::size_t way = first; way < first + ways; ++way) {
      // A sequence lock without fences, because the thread sanitizer does not support fences. If a load reads
      // a value of the next writer, its acquire order makes the odd version visible to the second check.
      const std::uint64_t version = word(way, 0).load(std::memory_order_acquire);
      if (version % 2 != 0) continue;
      const std::uint64_t answer = word(way, 1).load(std::memory_order_acquire);
      if ((answer & used) == 0 || static_cast<std::uint32_t>(answer >> 32) != generation) continue;
      if (!holds(way, key)) continue;
      if (word(way, 0).load(std::memory_order_relaxed) != version) continue;
      return Answer{static_cast<std::uint32_t>(answer & 0xFFFFu), (answer & known) != 0};
    }
    return std::nullopt;
  }

  /// Stores an answer; only one thread at a time may call this. Replaces the key's own entry, or else one of
  /// another generation, or else the oldest entry of the set.
  void put(const Key& key, std::uint32_t generation, Answer answer) noexcept {
    const std::size_t way = way_for(key, generation);
    std::atomic<std::uint64_t>& version = word(way, 0);
    const std::uint64_t before = version.load(std::memory_order_relaxed);
    version.store(before + 1, std::memory_order_relaxed);
    word(way, 1).store(std::uint64_t{generation} << 32 | used | (answer.known ? known : 0) | answer.variant,
                       std::memory_order_release);
    for (std::size_t i = 0; i < dimensions_; ++i)
      word(way, header_words + i).store(static_cast<std::uint64_t>(key[i]), std::memory_order_release);
    version.store(before + 2, std::memory_order_release);
  }

  /// Counts a call on the cache line of the calling thread.
  void count_call() noexcept {
    lines_of_threads_[detail::thread_line / detail::Ticks::line].words[0].fetch_add(
        1, std::memory_order_relaxed);
  }
  std::uint64_t calls() const noexcept {
    std::uint64_t sum = 0;
    for (const Line& line : lines_of_threads_) sum += line.words[0].load(std::memory_order_relaxed);
    return sum;
  }

 private:
  // An entry consists of its version, which is odd while the entry is written; generation, flags and variant;
  // and the key's values.
  static constexpr std::size_t header_words = 2;
  static constexpr std::size_t line_words = 8;
  static constexpr std::uint64_t used = 1u << 16;
  static constexpr std::uint64_t known = 1u << 17;

  struct alignas(detail::KeyHead::line) Line {
    std::array<std::atomic<std::uint64_t>, line_words> words{};
  };

  static std::size_t first_way(const Key& key) noexcept {
    // The upper bits of the hash are well mixed.
    return static_cast<std::size_t>(detail::hash(key) / (~std::uint64_t{0} / sets + 1)) * ways;
  }

  std::atomic<std::uint64_t>& word(std::size_t way, std::size_t i) const noexcept {
    return lines_[way * stride_ + i / line_words].words[i % line_words];
  }

  bool holds(std::size_t way, const Key& key) const noexcept {
    for (std::size_t i = 0; i < dimensions_; ++i)
      if (word(way, header_words + i).load(std::memory_order_acquire) != static_cast<std::uint64_t>(key[i]))
        return false;
    return true;
  }

  std::size_t way_for(const Key& key, std::uint32_t generation) noexcept {
    const std::size_t first = first_way(key);
    std::size_t stale = first + ways;
    for (std::size_t way = first; way < first + ways; ++way) {
      const std::uint64_t answer = word(way, 1).load(std::memory_order_relaxed);
      if ((answer & used) != 0 && holds(way, key)) return way;
      if ((answer & used) == 0 || static_cast<std::uint32_t>(answer >> 32) != generation) stale = way;
    }
    if (stale < first + ways) return stale;
    return first + next_[first / ways]++ % ways;
  }

  std::size_t dimensions_;
  std::size_t stride_;  // cache lines of one entry
  std::unique_ptr<Line[]> lines_;
  std::array<std::uint8_t, sets> next_{};  // for each set, the way that was written least recently
  std::array<Line, detail::Ticks::threads> lines_of_threads_{};
};

}  // namespace adaptive::core
