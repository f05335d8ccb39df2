#pragma once

#include <chrono>
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
  /// The sum of the kernel records of CUPTI of one launch; it is the same on idle and busy streams. A launch
  /// without kernels, or one that launches a graph, has no latency (`Timer::launch_graph` has). CUPTI has one
  /// client in a process: if that is a profiler, or the library is missing, events are used. As long as such
  /// a timer lives, CUPTI records every kernel of the process. After 20 million kernels of graphs, from which
  /// CUPTI 13.0.85 is not far from taking ever more memory, recording ends in this process and events are
  /// used.
  cupti,
};

/// How a timer works.
struct TimerOptions {
  Timing timing = Timing::events;
  /// Maximum number of timed launches in flight on one device. Further launches are untimed and counted.
  std::size_t pending_max = 1024;
  /// Whether every launch is a range of NVTX, in the domain "adaptive", from `launch` to the end of the
  /// launch: profilers show "operation variant (why)", where why is leader, exploring or pinned. Costs about
  /// a microsecond for each launch while a profiler is attached, and nothing without one. The environment
  /// variable `ADAPTIVE_NVTX` switches it on (1) or off (0) for timers that the program cannot change.
  bool nvtx = false;
  /// Receives messages, such as that CUPTI is not available or a device is lost. The thread that launches or
  /// polls calls it, never twice for the same trouble. Empty: warnings and errors go to stderr
  /// (`log_to_stderr`).
  LogCallback log = {};
};

/// Counts what a timer has done since it was made. While no thread launches or polls,
/// `timed == recorded + idle + queued + lost + pending`.
struct TimerCounters {
  std::uint64_t timed = 0;     ///< launches that were timed and neither reported as failed nor cancelled
  std::uint64_t recorded = 0;  ///< latencies given to their operations
  std::uint64_t idle = 0;      ///< samples left out because the stream was idle (see `Timer`)
  std::uint64_t queued = 0;    ///< samples left out because the stream was busy, while the operation learns
                               ///< from idle ones
  std::uint64_t lost = 0;      ///< samples whose events failed, or whose records never came
  std::uint64_t pending = 0;   ///< timed launches whose latency has not come yet
  std::uint64_t dropped =
      0;  ///< launches that should have been timed but were not: no free slot, or an event failed
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
/// An untimed launch costs `select` and one query whether the stream is being captured. A timed launch also
/// costs two event records. A timer never synchronises (except in `drain` and `bias`), allocates nothing
/// after its pools have grown, and leaves the caller's CUDA error as it was. Events are queried in the
/// relaxed capture mode and never on a stream that is being captured, so that no capture of any thread is
/// disturbed.
///
/// On a busy stream an event pair reads the time of the kernel plus a constant, which is measured once for
/// each device and subtracted (`bias`). On an idle stream the first event retires before the kernel arrives,
/// so that the pair also reads the launch itself. The two kinds of sample are told apart and never mixed in
/// one key. A key learns from queued samples at once. It learns from idle ones if there is almost nothing
/// else, as in a program that waits for every launch: at once where the other keys of its operation do, else
/// after 16 idle samples in a row at the start, or 64 in a row later. While it learns from idle samples,
/// queued ones are left out until they are more than a quarter of the samples. Such a change resets a key
/// that has learned something (`Operation::relearn`), in saved tables too; each change makes the next one
/// need four times as many samples.
///
/// Every member is thread-safe. A timer serves any number of streams, including per-thread default streams,
/// and the devices of these streams. The operations must outlive the timer, or the timer must be drained
/// before they end. Pools are not freed at the end of the process, since CUDA calls after `main` are
/// undefined.
///
/// The first launch of an operation whose selector was made with `host_device()` causes a warning in the log,
/// once for each timer: the tables of the processor say nothing about the GPU.
class ADAPTIVE_EXPORT Timer {
 public:
  /// Does not throw if there is no GPU or no CUPTI: launches are then untimed, or timed by events, and the
  /// log says so once.
  explicit Timer(Timing timing = Timing::events);
  explicit Timer(TimerOptions options);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  /// Gives up pending latencies; does not wait for them.
  ~Timer();

  /// Selects a variant for `key` and begins the timing if the selector asks for it. Inside a capture the
  /// launch is untimed and its variant is the pinned one.
  [[nodiscard]] ADAPTIVE_HOT Launch launch(Operation& operation, const Key& key,
                                           cudaStream_t stream) noexcept {
    return launch_on(operation, key, explicit_stream(stream));
  }
  /// Does the same for a call site.
  [[nodiscard]] ADAPTIVE_HOT Launch launch(const Site& site, cudaStream_t stream) noexcept {
    return launch_on(site, explicit_stream(stream));
  }

  /// Does the same for a launch that is one `cudaGraphLaunch`, where the variants are whole graphs. It is
  /// timed by events in any case, also if the source is CUPTI, which does not say when a graph began and
  /// ended.
  [[nodiscard]] Launch launch_graph(Operation& operation, const Key& key, cudaStream_t stream) noexcept {
    return launch_on(operation, key, explicit_stream(stream), true);
  }

  /// Gives the latencies that have arrived to their operations and returns their number. Launches do this by
  /// themselves; a program that stops launching calls it. Never waits.
  std::size_t poll() noexcept;

  /// From now on, timed launches that meet an idle stream are held back until the host has enqueued all of
  /// their kernels: a kernel of one thread runs first and takes as long as the host needed for an earlier
  /// launch of the operation. So are launches on a busy stream if that stream ran dry during an earlier
  /// launch of the same key. This is for launches of several kernels whose host is slower than the GPU, as in
  /// Python: otherwise the events read the host's time, which says nothing about the variants.
  ///
  /// Operations whose host needs longer than `most` are not held; zero or less switches this off, as at the
  /// start. Launches are not held before the measurement of `bias` has ended on their device. A held launch
  /// ends later, by about a tenth of the host's time and by the time of those of its kernels that could have
  /// run meanwhile; `LearningOptions::timing_budget` does not count this. Has no effect with CUPTI, whose
  /// records are the same on idle streams.
  void hold_on_idle_streams(std::chrono::nanoseconds most) noexcept;

  /// Waits until every pending latency has arrived, at the end of a run or a test. It synchronises. Returns
  /// false if a device failed; the latencies that were pending there are lost.
  bool drain() noexcept;

  /// The source of latencies: `events` if CUPTI was asked for but is not available, or not any more.
  [[nodiscard]] Timing timing() const noexcept;

  /// The time that is subtracted from an event pair on the current device. The first timed launch on a device
  /// starts the measurement, on a thread and a stream of its own; latencies are held back until it ends. This
  /// call starts the measurement if need be and waits for it, for a program that chooses the time itself.
  /// Zero with CUPTI, and if the time could not be measured.
  Latency bias() noexcept;

  /// What the timer has done so far.
  [[nodiscard]] TimerCounters counters() const noexcept;

 private:
  friend class Launch;
  friend class TrackedGraph;

  // The stream 0 means what the program's translation unit was compiled for, which the library cannot know.
  static ADAPTIVE_HOT cudaStream_t explicit_stream(cudaStream_t stream) noexcept {
#if defined(CUDA_API_PER_THREAD_DEFAULT_STREAM)
    return stream == nullptr ? cudaStreamPerThread : stream;
#else
    return stream == nullptr ? cudaStreamLegacy : stream;
#endif
  }
  Launch launch_on(Operation& operation, const Key& key, cudaStream_t stream,
                   bool whole_graph = false) noexcept;
  Launch launch_on(const Site& site, cudaStream_t stream) noexcept;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::cuda
