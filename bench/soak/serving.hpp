// A simulated server: threads that launch two operations with changing shapes, at a steady pace.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include <adaptive/adaptive.hpp>

namespace adaptive::bench {

/// What the program did to an operation, to be compared with what the library has counted.
struct Deeds {
  std::uint64_t launches = 0;
  std::uint64_t timed = 0;     ///< decisions whose latency was asked for
  std::uint64_t recorded = 0;  ///< latencies of all kinds
  std::uint64_t invalid = 0;   ///< of these, those that are no latencies
  std::uint64_t twice = 0;     ///< of these, second ones of a launch
  std::uint64_t withheld = 0;  ///< timed launches whose latency was never recorded
  std::uint64_t failed = 0;

  Deeds& operator+=(const Deeds& other) noexcept;
};

/// Two operations of a selector. `projection` has 256 keys, which all have a state from the beginning.
/// `attention` has 32,768, more than there is room for, so that most of them are served without a state.
///
/// The latency of a variant depends on the key and changes within 20 minutes by a third, so that incumbents
/// keep changing. Latencies arrive up to 64 steps after their launch; some arrive twice, never, or are
/// invalid.
class Serving {
 public:
  static constexpr std::size_t operations = 2;
  static constexpr std::size_t attention_keys_max = 512;

  /// Defines the operations. The selector must outlive the object.
  explicit Serving(Selector& selector);

  /// Launches from the calling thread, `steps_per_second` times a second one operation of each kind for each
  /// of 12 layers, until `stop`. Several threads may serve at once.
  void serve(std::uint64_t seed, double steps_per_second, const std::atomic<bool>& stop);

  const Operation& operation(std::size_t which) const noexcept { return *operations_[which]; }
  /// What all threads that have ended have done to an operation.
  Deeds deeds(std::size_t which) const;
  /// The processor time that they took: for `select`, `record`, and the simulation itself.
  std::chrono::duration<double> processor_time() const;

 private:
  class Thread;

  std::array<Operation*, operations> operations_{};
  mutable std::mutex mutex_;
  std::array<Deeds, operations> deeds_{};
  std::chrono::duration<double> processor_time_{};
};

}  // namespace adaptive::bench
