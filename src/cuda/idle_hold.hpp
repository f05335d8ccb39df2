// Decides how long timed launches on idle streams are held back until the host has enqueued them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace adaptive::inline v1::cuda {

/// Learns for each operation how long the host takes from the beginning of a launch to its end. On an idle
/// stream the first kernels of a launch run before the host has enqueued the last ones, and a pair of events
/// reads the host's time. If a kernel that takes as long as the host goes ahead of them, they wait only for
/// each other, as on a busy stream.
///
/// A stream that is busy when a launch begins may still run dry before the host has enqueued the last kernel,
/// if host and GPU are about equally fast. Where that has happened to a key, its next launches are held as
/// well.
///
/// Thread-safe. Bounded: operations that share one of the `places` share the longer time, and keys that share
/// one share what has happened.
class IdleHold {
 public:
  /// A hold takes the host's time times `margin`, and `margin_ns` nanoseconds for the start of the kernel.
  static constexpr double margin = 1.1;
  static constexpr double margin_ns = 5'000;

  /// How long the next launch is to be held, in ns; 0 until `note` has told the host's time. Not more than
  /// `most_ns`: an operation whose host takes longer is not held, because its kernels would not wait anyway.
  std::uint64_t wanted(const void* operation, std::uint64_t most_ns) const noexcept;
  /// Tells the host's time of a launch, in ns. A longer time than the known one counts at once, but at most
  /// as twice the known one, since a host that was interrupted says little. A shorter time counts slowly,
  /// unless the known one is more than four times as long: then that was the time of a first launch, which
  /// compiled or loaded the kernels, and it is halved.
  void note(const void* operation, std::uint64_t host_ns) noexcept;

  /// Number of launches on a busy stream that are held after one that ran dry, before another one is
  /// observed.
  static constexpr std::uint8_t held_after_dry = 8;
  /// Whether the next launch of the key is to be held although its stream is busy. Counts it as held.
  bool runs_dry(const void* key) noexcept;
  /// Tells whether a launch of the key that began on a busy stream and was not held ran dry.
  void note_busy(const void* key, bool ran_dry) noexcept;

 private:
  static constexpr std::size_t places = 64;
  static constexpr std::size_t key_places = 1024;

  std::array<std::atomic<std::uint64_t>, places> held_ns_{};
  std::array<std::atomic<std::uint8_t>, key_places> left_{};  // launches on a busy stream that are still held
};

}  // namespace adaptive::cuda
