#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <cuda_runtime_api.h>

#include <adaptive/cuda/launch.hpp>
#include <adaptive/detail/export.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/log.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

/// Where a latency comes from.
enum class Timing {
  events,  ///< a pair of CUDA events around the launch: 1 µs of host time each, resolution 0.5 µs
  /// Kernel records of CUPTI, those of one launch summed; the same on idle and busy streams. A launch without
  /// kernels, or one that launches a graph, has no latency. One client a process: where a profiler is it, or
  /// the library is missing, events are used. While such a timer lives CUPTI records every kernel of the
  /// process.
  cupti,
};

struct TimerOptions {
  Timing timing = Timing::events;
  /// Timed launches in flight on one device; one more is launched untimed and counted.
  std::size_t pending_max = 1024;
  /// Receives messages: CUPTI not to be had, a device lost. Called from the thread that launches or polls,
  /// never twice for the same trouble. Empty: warnings and errors go to stderr (`log_to_stderr`).
  LogCallback log = {};
};

/// What a timer has done since it was made. While nothing is being launched or polled
/// `timed == recorded + idle + queued + lost + pending`.
struct TimerCounters {
  std::uint64_t timed = 0;     ///< launches that were timed and neither reported as failed nor cancelled
  std::uint64_t recorded = 0;  ///< latencies given to their operations
  std::uint64_t idle = 0;      ///< samples left out because the stream was idle (see `Timer`)
  std::uint64_t queued = 0;    ///< samples left out because the stream was busy, of an operation that learns
                               ///< from idle ones
  std::uint64_t lost = 0;      ///< samples whose events failed, or whose records never came
  std::uint64_t pending = 0;   ///< timed launches whose latency has not come yet
  std::uint64_t dropped = 0;  ///< launches that were to be timed and were not: no slot free, an event refused
  std::uint64_t captured = 0;   ///< launches inside captures
  std::uint64_t failed = 0;     ///< launches reported as failed
  std::uint64_t cancelled = 0;  ///< timed launches whose timing `Launch::cancel` dropped
};

/// Times launches on GPUs without waiting for them.
///
///   adaptive::cuda::Timer timer;
///   {
///     auto launch = timer.launch(gemm, {m, n, k}, stream);
///     launch.check(kernels[launch.variant()](arguments, stream));
///   }                                // the latency arrives during a later launch, or a poll()
///
/// A launch that is not to be timed costs `select` and one question whether the stream is being captured. A
/// timed one costs two event records besides. Nothing here synchronises, allocates after the pools have
/// grown, or touches the caller's CUDA error. Events are asked in the relaxed capture mode and never on a
/// stream that is being captured, so that no capture is disturbed, neither the calling thread's nor
/// another's.
///
/// An event pair around a kernel on a busy stream reads the kernel and a constant more, which is measured
/// once a device and subtracted (`bias`). On an idle stream the first event retires before the kernel
/// arrives, so the pair also reads the launch itself. The two kinds of sample are told apart and never mixed
/// in one operation: it learns from queued ones at once, and from idle ones where there is next to nothing
/// else, as in a program that waits for every launch: after 16 idle samples in a row at the start, 64 in a
/// row later. Once it learns from idle ones, queued ones are left out until they make more than a quarter of
/// the samples. A change after something was learned resets the operation (`Operation::relearn`), in saved
/// tables too; each change makes the next four times as hard.
///
/// Any number of devices (the stream's own), streams and threads, per-thread default streams included. The
/// operations must outlive the timer, or be drained before. Pools are left to the process at its end, since
/// CUDA calls after `main` are undefined.
class ADAPTIVE_EXPORT Timer {
 public:
  /// Never throws for want of a GPU or of CUPTI: launches are untimed then, or timed by events, and the log
  /// says so once.
  explicit Timer(Timing timing = Timing::events);
  explicit Timer(TimerOptions options);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  /// Gives up what is pending; does not wait.
  ~Timer();

  /// Selects for `key` and begins the timing where it is wanted. Inside a capture the incumbent, untimed.
  [[nodiscard]] ADAPTIVE_HOT Launch launch(Operation& operation, const Key& key,
                                           cudaStream_t stream) noexcept {
    return launch_on(operation, key, explicit_stream(stream));
  }
  /// The same for a call site.
  [[nodiscard]] ADAPTIVE_HOT Launch launch(const Site& site, cudaStream_t stream) noexcept {
    return launch_on(site, explicit_stream(stream));
  }

  /// Takes what has arrived and gives the latencies to their operations; returns for how many launches.
  /// Launches do this by themselves; a program that stops launching calls it. Never waits.
  std::size_t poll() noexcept;

  /// Waits until everything pending has arrived, for the end of a run or a test. This one does synchronise.
  /// False where a device failed; what was pending there is lost.
  bool drain() noexcept;

  /// How latencies are taken: `events` where CUPTI was asked for and could not be had.
  [[nodiscard]] Timing timing() const noexcept;

  /// What is subtracted from an event pair on the current device. Measured at the device's first timed
  /// launch, by a thread of its own that ends with it and a stream of its own; latencies wait for it
  /// meanwhile. This waits until it is known: a program that wants it at a time of its choosing calls this.
  /// Zero with CUPTI, and where it could not be measured.
  Latency bias() noexcept;

  [[nodiscard]] TimerCounters counters() const noexcept;

 private:
  friend class Launch;

  // The stream 0 means what the program's translation unit was compiled for, which the library cannot know.
  static ADAPTIVE_HOT cudaStream_t explicit_stream(cudaStream_t stream) noexcept {
#if defined(CUDA_API_PER_THREAD_DEFAULT_STREAM)
    return stream == nullptr ? cudaStreamPerThread : stream;
#else
    return stream == nullptr ? cudaStreamLegacy : stream;
#endif
  }
  Launch launch_on(Operation& operation, const Key& key, cudaStream_t stream) noexcept;
  Launch launch_on(const Site& site, cudaStream_t stream) noexcept;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::cuda
