#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include <cuda_runtime_api.h>

#include <adaptive/detail/export.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

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
/// kinds of nodes, and its kernels have the same clusters; and none of them is launched programmatically
/// dependent. In any other case the result is `recapture`, and the graph is unchanged. Priorities and access
/// windows stay those of the stream of the capture.
///
/// An update costs less than the smallest capture if few of a graph's launches are stale, and more if most
/// are. The object updates in both cases, because promotions come one by one and only the program knows the
/// cost of its capture (docs/cuda.md has the measurements).
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
  TrackedGraph(const TrackedGraph&) = delete;
  TrackedGraph& operator=(const TrackedGraph&) = delete;
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

  /// Forgets all launches. Call it before the graph is captured again.
  void clear() noexcept;

  /// The number of launches that are remembered.
  std::size_t size() const noexcept;

 private:
  cudaError_t launch_on(Operation& operation, const Key& key, cudaStream_t stream, Body body);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::cuda
