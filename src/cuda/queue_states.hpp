// Decides which latencies of a key may be compared with each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace adaptive::inline v1::cuda {

/// A latency measured on a busy queue is that of the kernel alone. A latency measured on an idle queue
/// includes the launch itself, a few microseconds more. If the two kinds were compared, a variant that
/// happened to meet an idle queue would seem slower. Therefore a key learns from one kind at a time:
///
/// - It learns from queued samples at once.
/// - It learns from idle samples if there is almost nothing else: at once where the other keys of its
///   operation do, else after `idle_run` in a row at the start, so that the first launches of a program that
///   will fill its queue do not count, or after `switch_run` in a row later.
/// - It goes back from idle to queued samples when these have been more than a quarter of the samples for a
///   while.
///
/// Keys decide for themselves because one program has both: a server launches long kernels ahead for a prompt
/// and waits for the short ones of a few tokens. If a key has learned something before such a change, it
/// forgets its run. Each change makes the next one need four times as much evidence, so that a key that
/// alternates between the two kinds settles on one of them.
///
/// Not thread-safe. Bounded: keys beyond `capacity` do as their operation, and operations beyond it learn
/// from queued samples only.
class QueueStates {
 public:
  static constexpr std::size_t capacity = 4096;
  static constexpr std::uint32_t idle_run = 16;
  static constexpr std::uint32_t switch_run = 64;
  static constexpr std::uint32_t switch_run_max = 1u << 20;
  /// Evidence that a queued sample adds; an idle sample takes away 1.
  static constexpr std::uint32_t queued_weight = 3;

  enum class Verdict {
    learn,
    leave_out,
    restart,  ///< forget what the key has learned, then learn
  };

  QueueStates() : entries_(2 * capacity) {}

  /// Says how to treat a sample of a key. `key` identifies the key; null: it has no state.
  Verdict judge(const void* operation, const void* key, bool idle) noexcept;

 private:
  enum class Kind : std::uint8_t { undecided, queued, idle };
  struct Entry {
    const void* of = nullptr;
    std::uint32_t evidence = 0;
    std::uint32_t needed = switch_run;
    Kind kind = Kind::undecided;
  };

  Entry* find(const void* of) noexcept;
  static Verdict judge(Entry& entry, bool idle) noexcept;
  static Verdict change(Entry& entry, Kind to) noexcept;

  std::vector<Entry> entries_;
  std::size_t count_ = 0;
};

}  // namespace adaptive::cuda
