// Samples the calls of a settled key without a shared write. Programs do not use it directly.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1::detail {

/// Offset of the calling thread's line in every `Ticks`, in bytes. It is zero, the first line, until the
/// thread first consults a policy. Threads that share a line lose counts, which changes only which calls are
/// sampled.
extern ADAPTIVE_EXPORT thread_local constinit std::uint32_t thread_line;
/// Gives the calling thread a line of its own. 64 threads have one each; further threads share them.
ADAPTIVE_EXPORT void number_this_thread() noexcept;

/// Counters of one operation, one for each thread, each on a cache line of its own. They belong to the
/// operation so that a run repeats whatever other operations and selectors do.
class Ticks {
 public:
  static constexpr std::uint32_t threads = 64;
  static constexpr std::uint32_t line = 64;

  explicit Ticks(std::uint64_t seed) noexcept {
    for (Line& l : lines_) l.number.store(seed * step, std::memory_order_relaxed);
  }

  /// Returns numbers that are spread evenly over [0, 2^64): for every share s, s of the calls get a number
  /// below s × 2^64. They are multiples of an irrational number modulo 1 (Weyl). If a program loops over its
  /// keys and the length of the loop times that number is nearly whole, the samples of a key come in
  /// clusters, at the same rate.
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
