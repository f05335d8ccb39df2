#pragma once

#include <cstddef>
#include <cstdint>

namespace adaptive::inline v1::cuda {

/// How a `TrackedGraph` learns from its replays.
struct ReplayOptions {
  /// Largest number of launches that one replay times, and so of launches that run another variant than the
  /// incumbent in one replay.
  std::size_t looks_max = 4;
  /// Largest number of executables that the object adds to the program's own. Each takes as much device
  /// memory as the program's. With 0, nothing is timed or explored, and a promotion that needs other nodes
  /// waits for the program to capture again.
  std::size_t executables_max = 32;
  /// No executable is added while the device has less free memory than this, in bytes.
  std::size_t free_memory_min = std::size_t{512} << 20;
};

/// Counts what the replays of a `TrackedGraph` have done since it was made. A *look* is a launch of a replay
/// whose latency the selector has asked for. At any time
/// `asked == looks + dropped + waiting` and `looks == recorded + lost + pending`.
struct ReplayCounters {
  std::uint64_t replays = 0;   ///< calls of `TrackedGraph::replay` that launched something
  std::uint64_t looking = 0;   ///< replays that timed launches
  std::uint64_t asked = 0;     ///< latencies that the selector has asked for
  std::uint64_t looks = 0;     ///< of these, launches that were enqueued
  std::uint64_t explored = 0;  ///< looks at another variant than the one that the other replays run
  std::uint64_t recorded = 0;  ///< looks whose latency has come
  std::uint64_t besides = 0;   ///< latencies of launches that were timed together with looks
  /// Latencies asked for but not taken: no executable could time the variant within 64 replays, the variant
  /// cannot be captured, or the launch's incumbent changed in the meantime.
  std::uint64_t dropped = 0;
  std::uint64_t lost = 0;     ///< looks whose latency did not come
  std::uint64_t waiting = 0;  ///< latencies asked for whose replay has not been launched yet
  std::uint64_t pending = 0;  ///< looks whose latency has not come yet
  /// Kernel records that belong to no look: those of a replay that has been given up, second ones, and those
  /// of a destroyed executable.
  std::uint64_t stale = 0;
  std::uint64_t refused = 0;  ///< changes of an added executable that CUDA refused
  std::uint64_t built = 0;    ///< executables added
  std::uint64_t removed = 0;  ///< executables removed again
  /// Replays of an added executable because the program's own cannot be updated.
  std::uint64_t stand_ins = 0;
  /// What timing has added to the replays, in nanoseconds: the cost of a timed launch, as it was measured,
  /// times their number. 0 if latencies come from CUPTI.
  double timing_ns = 0.0;
};

}  // namespace adaptive::cuda
