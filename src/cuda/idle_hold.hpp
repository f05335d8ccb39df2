// Decides how long timed launches on idle streams are held back until the host has enqueued them.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace adaptive::inline v1::cuda {

/// Learns for each operation how long the host takes from the beginning of a launch to its end. On an idle
/// stream the first kernels of a launch run before the host has enqueued the last ones, and a pair of events
/// reads the host's time. If a kernel that takes as long as the host goes ahead of them, they wait for each
/// other only, as on a busy stream.
///
/// Thread-safe. Bounded: operations that share one of the `places` share the longer time.
class IdleHold {
 public:
  /// Share by which a hold is longer than the host's time, and a constant for the start of the kernel, in ns.
  static constexpr double margin = 1.1;
  static constexpr double margin_ns = 5'000;

  /// How long the next launch is to be held, in ns; 0 until `note` has told the host's time. Not more than
  /// `most_ns`: an operation whose host takes longer is not held, because its kernels would not wait anyway.
  std::uint64_t wanted(const void* operation, std::uint64_t most_ns) const noexcept;
  /// Tells the host's time of a launch, in ns. It counts at once where it is longer than the known one, at
  /// most twice as long, since a host that was interrupted says little; a shorter time counts slowly.
  void note(const void* operation, std::uint64_t host_ns) noexcept;

 private:
  static constexpr std::size_t places = 64;
  static std::size_t place_of(const void* operation) noexcept;

  std::array<std::atomic<std::uint64_t>, places> held_ns_{};
};

}  // namespace adaptive::cuda
