// How a settled key's calls are sampled without a shared write. Not for users.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1::detail {

/// Where the calling thread's line lies in every `Ticks`, in bytes. Zero, the first line, until the thread is
/// first put to a policy: threads that share a line lose counts, which changes which calls are sampled and
/// nothing else.
extern ADAPTIVE_EXPORT thread_local constinit std::uint32_t thread_line;
/// Gives the calling thread a line of its own; 64 threads have one, further ones share.
ADAPTIVE_EXPORT void number_this_thread() noexcept;

/// A counter for every thread, each on its own cache line, that belongs to one operation, so that a run
/// repeats whatever other operations and selectors do.
class Ticks {
 public:
  static constexpr std::uint32_t threads = 64;
  static constexpr std::uint32_t line = 64;

  explicit Ticks(std::uint64_t seed) noexcept {
    for (Line& l : lines_) l.number.store(seed * step, std::memory_order_relaxed);
  }

  /// A number that is below any share of 2^64 in that share of the calls, evenly spread: multiples of an
  /// irrational number modulo 1 (Weyl). A program's loop over its keys beats with it only where the loop's
  /// length times that number is nearly whole; then a key's samples come in clusters, at the same rate.
  std::uint64_t next() noexcept {
    std::atomic<std::uint64_t>& number =
        reinterpret_cast<Line*>(reinterpret_cast<char*>(lines_.data()) + thread_line)->number;
    const std::uint64_t value = number.load(std::memory_order_relaxed) + step;
    number.store(value, std::memory_order_relaxed);
    return value;
  }

 private:
  static constexpr std::uint64_t step = 0xC13FA9A902A6328Fu;

  struct alignas(line) Line {
    std::atomic<std::uint64_t> number{0};
  };
  std::array<Line, threads> lines_;
};

}  // namespace adaptive::detail
