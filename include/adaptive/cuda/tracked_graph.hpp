#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <cuda_runtime_api.h>

#include <adaptive/cuda/replay.hpp>
#include <adaptive/detail/export.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

class Timer;

/// The outcome of an update of an executable graph, which also tells the state of the graph.
enum class GraphUpdate {
  none,       ///< no launch needs another variant
  updated,    ///< the executable graph runs the incumbents
  recapture,  ///< the graph is unchanged and may be launched; only a new capture gives it the incumbents
  failed,     ///< CUDA failed half way: the graph holds a mixture and must not be launched; capture again
};

/// Records which nodes of a captured graph belong to which launch, so that a promotion reaches the
/// instantiated graph without the program capturing it again.
///
///   adaptive::cuda::TrackedGraph tracked;
///   cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
///   tracked.launch(gemm, {m, n, k}, stream, [=](std::uint32_t variant, cudaStream_t s) {
///     return kernels[variant](arguments, s);              // a cudaError_t
///   });
///   cudaStreamEndCapture(stream, &graph);
///   cudaGraphInstantiate(&exec, graph, 0);
///   for (;;) {
///     if (tracked.stale() && tracked.update(exec) >= GraphUpdate::recapture) {
///       tracked.clear();
///       ... capture and instantiate it all again ...
///     }
///     cudaGraphLaunch(exec, stream);
///   }
///
/// A launch can be updated under three conditions: its body enqueues a sequence of kernels, memsets and
/// copies on the stream that it is given, from any library; the sequence of the new variant has the same
/// kinds of nodes, and its kernels have the same clusters; and programmatic dependent launch is used at the
/// same places of both sequences, and not by their first kernel (before CUDA 12.3, not at all). In any other
/// case the result is `recapture`, and the graph is unchanged. Priorities and access windows stay those of
/// the stream of the capture.
///
/// An update costs less than the smallest capture if few of a graph's launches are stale, and more if most
/// are. The object updates in both cases, because promotions come one by one and only the program knows the
/// cost of its capture (docs/cuda.md has the measurements).
///
/// With a timer, the object also learns within the graph. `replay` takes the place of `cudaGraphLaunch`:
///
///   adaptive::cuda::TrackedGraph tracked(timer);
///   ... capture with tracked.launch(...), and instantiate ...
///   for (;;) tracked.replay(exec, stream);
///
/// A replay is a call of each of its launches, for which their selectors decide as for every other call: most
/// replays launch `exec`, which is never timed. For a replay in which the selector wants to know latencies,
/// the object launches an executable of its own in the place of `exec`. It is instantiated from a copy of the
/// captured graph and does the same work, but some of its launches are timed, and these may run the
/// candidates that the policy asks for. Candidates that need other nodes than the captured ones get such an
/// executable of their own. An executable of the object is changed and launched again only after its previous
/// replay has ended, so that a latency belongs to the variant that has run.
///
/// `replay` also updates `exec` to new incumbents. If they need other nodes, an executable of the object runs
/// them in the place of `exec`; `stale` stays true then, so that the program may capture again at a time that
/// suits it. Modes, budgets, forced variants and rank consistency hold as for launches outside of graphs.
///
/// Latencies come from kernel records if the timer's source is `Timing::cupti`. Otherwise the copy has a
/// kernel of one thread before and after each timed launch, which notes the time of the GPU's clock; or a
/// pair of events, if a step of that clock is longer than 100 ns. What this costs within a replay is measured
/// once for each device, and counts as `LearningOptions::timing_cost`. From 20 million kernel records of
/// graphs in the process on, records are not used any more.
///
/// Nothing is learned, and `replay` does no more than an update and `cudaGraphLaunch`, if there is no timer;
/// for graphs that CUDA does not copy (with allocations or conditions); for executables instantiated for
/// launches from the device or with automatic freeing; and on a stream of another device than the first
/// launch's. `replay` must not be used if the program changes `exec` itself, since its changes would be
/// missing in the executables of the object.
///
/// Not thread-safe: one thread uses it at a time. The body is kept and called again for an update: the
/// operation, and everything that the body captures by reference, must live as long as this object. So must
/// the graph itself, not only its executable graph, and it must not be changed. Use one executable graph at a
/// time: the object could not tell that a second one is older.
class ADAPTIVE_EXPORT TrackedGraph {
 public:
  /// Enqueues the variant of that index on `stream`. Work on other streams must be joined to `stream` again.
  using Body = std::function<cudaError_t(std::uint32_t variant, cudaStream_t stream)>;

  TrackedGraph();
  /// Replays learn. `timer` must outlive the object.
  explicit TrackedGraph(Timer& timer, const ReplayOptions& options = {});
  TrackedGraph(const TrackedGraph&) = delete;
  TrackedGraph& operator=(const TrackedGraph&) = delete;
  /// Gives up the latencies of replays that have not come; does not wait for them. The graph, its executable
  /// and the operations must still exist.
  ~TrackedGraph();

  /// Calls `body` with the incumbent of `key` on a stream that is being captured, and remembers the nodes
  /// that it added. `stream` may also be one that was forked from the first stream of the capture. On a
  /// stream that is not being captured, `body` runs the incumbent and nothing is remembered. Returns what
  /// `body` returns and throws what it throws. An error of `body` inside a capture, here or in `update`, sets
  /// the variant aside for the key.
  cudaError_t launch(Operation& operation, const Key& key, cudaStream_t stream, Body body) {
#ifdef CUDA_API_PER_THREAD_DEFAULT_STREAM
    // The stream 0 means what the program's translation unit was compiled for, which the library cannot know.
    if (stream == nullptr) stream = cudaStreamPerThread;
#endif
    return launch_on(operation, key, stream, std::move(body));
  }

  /// Whether an incumbent has changed since the capture or the latest update. Costs one relaxed load for each
  /// launch. Always true after `failed`, until `clear`.
  bool stale() const noexcept;

  /// Updates the stale launches of `exec`, an executable graph that was instantiated from the captured one.
  /// Each body captures its incumbent into a graph of its own, from which the parameters of the nodes are
  /// taken. Either all launches change or none: if CUDA refuses a change half way, the earlier changes are
  /// taken back. The answer is `failed` only if CUDA refuses that, too.
  ///
  /// It must not run while another thread launches `exec`; launches already enqueued are not affected. It
  /// disturbs no capture of any thread. The last CUDA error of the thread stays as it was: if one is pending,
  /// the bodies run on another thread, because `return cudaGetLastError()` would clear it.
  GraphUpdate update(cudaGraphExec_t exec);

  /// Launches `exec`, an executable graph that was instantiated from the captured one, or another executable
  /// that does the same work, as described above. Returns the status of the launch. If an update of `exec`
  /// has failed half way and nothing can run in its place, nothing is launched and the status is
  /// `cudaErrorGraphExecUpdateFailure`: capture again.
  ///
  /// Never waits for the GPU. A replay that only launches `exec` costs a call of `select` for each launch in
  /// addition to `cudaGraphLaunch`, and nothing on the stream. Another one costs some microseconds of host
  /// time for each launch that runs another variant than before; when an executable is made, also the time of
  /// copying the graph. A thread of the library instantiates the copy; an executable that runs incumbents is
  /// instantiated by the replay that needs it. A body is called at most once for each variant, on this
  /// thread, under the conditions of `update`; an exception that leaves it there counts as an error of the
  /// variant. Within a capture, `cudaGraphLaunch` is called and nothing else is done. The last CUDA error of
  /// the thread changes only if `cudaGraphLaunch` changes it. May throw what a body throws in an update.
  cudaError_t replay(cudaGraphExec_t exec, cudaStream_t stream) {
#ifdef CUDA_API_PER_THREAD_DEFAULT_STREAM
    if (stream == nullptr) stream = cudaStreamPerThread;
#else
    if (stream == nullptr) stream = cudaStreamLegacy;
#endif
    return replay_on(exec, stream);
  }

  /// Gives the latencies that have arrived to their operations. Replays do this by themselves; a program that
  /// stops replaying calls it. Never waits. With CUPTI, call `Timer::poll` before.
  void poll() noexcept;

  /// What the replays have done so far.
  ReplayCounters replay_counters() const noexcept;

  /// Forgets all launches. Call it before the graph is captured again.
  void clear() noexcept;

  /// The number of launches that are remembered.
  std::size_t size() const noexcept;

 private:
  cudaError_t launch_on(Operation& operation, const Key& key, cudaStream_t stream, Body body);
  cudaError_t replay_on(cudaGraphExec_t exec, cudaStream_t stream);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::cuda
