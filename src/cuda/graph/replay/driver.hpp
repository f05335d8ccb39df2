// What learning under replay needs of CUDA. The tests have a driver of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <adaptive/decision.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/operation.hpp>

struct CUstream_st;

namespace adaptive::inline v1::cuda {

/// Makes, changes, launches and times executables of one captured graph. The launches of the graph are
/// numbered in the order of their capture. No member waits for the GPU. One thread at a time uses an object.
class ReplayDriver {
 public:
  /// An executable; never 0, and never used twice.
  using Handle = std::uint32_t;
  /// A replay that has been launched; never used twice.
  using Flight = std::uint64_t;
  using Stream = CUstream_st*;

  virtual ~ReplayDriver() = default;

  enum class Timing {
    not_yet,   ///< the cost of timing is still being measured
    possible,  ///< launches can be timed
    never,
  };
  virtual Timing timing() noexcept = 0;
  /// Rises when latencies begin to come from another source, for which executables have to be made anew.
  virtual std::uint32_t source() noexcept = 0;
  /// What timing one launch adds to a replay. Every launch that is timed by an executable costs it in each of
  /// the executable's replays.
  virtual Latency timing_cost() noexcept = 0;

  /// The kinds of nodes that a variant needs. Variants of a launch with equal forms can take each other's
  /// place in an executable.
  struct Form {
    enum class Kind {
      known,
      later,   ///< it cannot be found out now, for example because an error of the program is pending
      failed,  ///< the variant reported an error when it was captured
      unfit,   ///< no executable can be made with this variant
    };
    Kind kind = Kind::unfit;
    std::uint32_t number = 0;
  };
  /// May capture the variant, which takes tens of microseconds, at the first call for it.
  virtual Form form(std::size_t launch, std::uint32_t variant) noexcept = 0;

  enum class Making {
    made,
    begun,  ///< another thread is still making it
    no_memory,
    refused,     ///< CUDA refused this executable
    impossible,  ///< CUDA refuses every further executable of this graph
  };
  struct Made {
    Making result = Making::refused;
    Handle handle = 0;
    bool times_first = false;  ///< whether the first replay of the executable has latencies
  };
  /// Makes an executable in which launch i runs `variants[i]`, and in which the launches `timed` are timed.
  /// The forms of all variants are known.
  virtual Made make(std::span<const std::uint32_t> variants, std::span<const std::size_t> timed) noexcept = 0;
  /// As `make`, but may leave the part that takes long to another thread. The answer is `begun` then, and the
  /// executable must not be set or launched until `outcome` says that it has been made.
  virtual Made begin(std::span<const std::uint32_t> variants,
                     std::span<const std::size_t> timed) noexcept = 0;
  /// What has become of an executable that was begun: `begun`, `made`, `refused` or `no_memory`. In the last
  /// two cases it can only be destroyed.
  virtual Making outcome(Handle executable) noexcept = 0;

  struct Change {
    std::size_t launch;
    std::uint32_t from;
    std::uint32_t to;
  };
  enum class Setting {
    done,
    refused,  ///< CUDA refused one of the changes; nothing has changed
    broken,   ///< CUDA also refused to take others back: the executable must not be launched
  };
  struct Set {
    Setting result = Setting::done;
    std::size_t refused = 0;  ///< index of the change that CUDA refused
  };
  virtual Set set(Handle executable, std::span<const Change> changes) noexcept = 0;

  /// Enqueues a replay. Returns false if nothing was enqueued. `flight` is 0 for a replay that is not timed.
  virtual bool launch(Handle executable, Flight flight, Stream stream) noexcept = 0;
  /// Whether the GPU has finished the replay.
  virtual bool finished(Flight flight) noexcept = 0;
  struct Reading {
    enum class State { here, pending, never };
    State state = State::never;
    Latency latency{0};
  };
  /// The latency of a launch of a finished replay. The state `pending` ends only with `release`.
  virtual Reading latency(Flight flight, std::size_t launch) noexcept = 0;
  /// Nothing more is asked about the flight.
  virtual void release(Flight flight) noexcept = 0;
  /// Also of an executable that is in flight, or has only been begun.
  virtual void destroy(Handle executable) noexcept = 0;

  /// Gives a latency to its operation.
  virtual void give(Operation& operation, const Decision& decision, Latency latency) noexcept = 0;
};

}  // namespace adaptive::cuda
