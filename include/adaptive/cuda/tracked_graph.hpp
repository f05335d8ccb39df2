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

/// What an update of an executable graph came to, and so what state that graph is in.
enum class GraphUpdate {
  none,       ///< no launch needs another variant
  updated,    ///< the executable graph runs the incumbents
  recapture,  ///< it is as it was and may be launched; only a new capture gives it the incumbents
  failed,     ///< CUDA gave up half way: it holds a mixture and must not be launched; capture again
};

/// Knows which nodes of a captured graph belong to which launch, so that a promotion reaches the instantiated
/// graph without the program capturing it again.
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
/// A launch can be updated where its body enqueues a line of kernels, memsets and copies on the stream that
/// it is given, whatever library they come from; where the new variant's line has the same kinds of nodes and
/// the kernels the same clusters; and where none of them is launched programmatically dependent. In any other
/// case the answer is `recapture`: never a graph that is half right. Priorities and access windows stay those
/// of the stream of the capture.
///
/// An update is cheaper than the barest capture while few of a graph's launches are stale, and dearer where
/// most are. It is done in any case: promotions come one by one, and only the program knows what its capture
/// costs (docs/cuda.md has the measurements).
///
/// One thread at a time. The body is kept and called again for an update: what it captures by reference, and
/// the operation, must live as long as this. So must the graph (not only its executable), and it must not be
/// changed. One executable graph at a time: a second one would not be known to be older.
class ADAPTIVE_EXPORT TrackedGraph {
 public:
  /// Enqueues the variant of that index on that stream and on no other that is not joined to it again.
  using Body = std::function<cudaError_t(std::uint32_t variant, cudaStream_t stream)>;

  TrackedGraph();
  TrackedGraph(const TrackedGraph&) = delete;
  TrackedGraph& operator=(const TrackedGraph&) = delete;
  ~TrackedGraph();

  /// Runs `body` with the incumbent of `key` on a stream that is being captured, and remembers the nodes that
  /// it added. Streams that were forked from the capture's first one may be used as well. On a stream that is
  /// not being captured it runs the incumbent and remembers nothing. Returns what `body` returns, passes on
  /// what it throws. An error of the body inside a capture, here or in `update`, sets the variant aside for
  /// the key.
  cudaError_t launch(Operation& operation, const Key& key, cudaStream_t stream, Body body) {
#ifdef CUDA_API_PER_THREAD_DEFAULT_STREAM
    // The stream 0 means what the program's translation unit was compiled for, which the library cannot know.
    if (stream == nullptr) stream = cudaStreamPerThread;
#endif
    return launch_on(operation, key, stream, std::move(body));
  }

  /// Whether an incumbent has changed since: one relaxed load a launch. True for ever after `failed`.
  bool stale() const noexcept;

  /// Brings the stale launches of an executable graph, instantiated from the captured one, up to date: each
  /// body captures its incumbent into a graph of its own, and the nodes' parameters are set from there. All
  /// launches are changed or none; what CUDA refuses half way is taken back, and is `failed` only where it
  /// refuses that, too.
  ///
  /// Must not run while another thread launches `exec`; launches already enqueued are not affected. Disturbs
  /// no capture, neither of this thread nor of another. The thread's last CUDA error is left as it was: where
  /// one is pending the bodies run on another thread, because `return cudaGetLastError()` would take it away.
  GraphUpdate update(cudaGraphExec_t exec);

  /// Forgets all launches; before the graph is captured again.
  void clear() noexcept;

  /// Launches that are remembered.
  std::size_t size() const noexcept;

 private:
  cudaError_t launch_on(Operation& operation, const Key& key, cudaStream_t stream, Body body);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::cuda
