// Which latencies of an operation may be compared with each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace adaptive::inline v1::timing {

/// A latency measured on a busy queue is the kernel's alone; one measured on an idle queue has the launch in
/// it, a few microseconds more. Compared with each other they would make the variant that happened to meet
/// the idle queue the slower one. So an operation learns from one kind at a time:
///
/// - from queued ones at once;
/// - from idle ones when there is next to nothing else: after `idle_run` in a row at the start, so that the
///   first launches of a program that will queue do not count, or after `switch_run` in a row later;
/// - from idle back to queued when these make more than a quarter of the samples for a while.
///
/// A change after something was learned makes the operation forget its run. Each change makes the next one
/// four times as hard, so that a program which hovers between the two settles.
///
/// Not thread-safe. Bounded: operations beyond `capacity` learn from queued samples only.
class QueueStates {
 public:
  static constexpr std::size_t capacity = 1024;
  static constexpr std::uint32_t idle_run = 16;
  static constexpr std::uint32_t switch_run = 64;
  static constexpr std::uint32_t switch_run_max = 1u << 20;
  /// An idle sample takes one of evidence away, a queued one adds so much.
  static constexpr std::uint32_t queued_weight = 3;

  enum class Verdict {
    learn,
    leave_out,
    restart,  ///< forget what was learned, then learn
  };

  QueueStates() : entries_(2 * capacity) {}

  /// What to do with a sample of the operation.
  Verdict judge(const void* operation, bool idle) noexcept;

 private:
  enum class Kind : std::uint8_t { undecided, queued, idle };
  struct Entry {
    const void* operation = nullptr;
    std::uint32_t evidence = 0;
    std::uint32_t needed = switch_run;
    Kind kind = Kind::undecided;
  };

  Entry* find(const void* operation) noexcept;
  static Verdict change(Entry& entry, Kind to) noexcept;

  std::vector<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace adaptive::timing
