#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <cuda_runtime_api.h>

#include <adaptive/detail/export.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::cuda {

/// What an update of an executable graph came to.
enum class GraphUpdate {
  none,       ///< nothing was stale
  updated,    ///< the executable graph now runs the incumbents
  recapture,  ///< a launch needs other nodes (their number, order or kind differ): capture the graph again
  failed,     ///< CUDA refused; the executable graph is as it was, or must be captured again where it says so
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
///     if (tracked.stale() && tracked.update(exec) == GraphUpdate::recapture) { ... capture it all again ... }
///     cudaGraphLaunch(exec, stream);
///   }
///
/// One thread at a time. The body is kept and called again for an update: what it captures by reference must
/// live as long as this. The graph (not only its executable) must live as long as this, too.
class ADAPTIVE_EXPORT TrackedGraph {
 public:
  /// Enqueues the variant of that index on that stream.
  using Body = std::function<cudaError_t(std::uint32_t variant, cudaStream_t stream)>;

  TrackedGraph();
  TrackedGraph(const TrackedGraph&) = delete;
  TrackedGraph& operator=(const TrackedGraph&) = delete;
  ~TrackedGraph();

  /// Runs `body` with the incumbent of `key` on a stream that is being captured, and remembers the nodes that
  /// it added. On a stream that is not being captured it runs the incumbent and remembers nothing. Returns
  /// what `body` returns.
  cudaError_t launch(Operation& operation, const Key& key, cudaStream_t stream, Body body);

  /// Whether an incumbent has changed since: one relaxed load a launch.
  bool stale() const noexcept;

  /// Brings the stale launches of an executable graph, instantiated from the captured one, up to date: each
  /// is captured into a scratch graph, and where that has the same shape (the same kinds of nodes in a line)
  /// the nodes' parameters are set. Must not run while the graph is being launched by another thread; launches
  /// already enqueued are not affected.
  GraphUpdate update(cudaGraphExec_t exec);

  /// Forgets all launches; before the graph is captured again.
  void clear() noexcept;

  std::size_t size() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adaptive::cuda
