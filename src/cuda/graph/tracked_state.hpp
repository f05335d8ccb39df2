// What a tracked graph remembers. `tracked_graph.cpp` captures and updates; `replay/replay.cpp` replays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <adaptive/cuda/tracked_graph.hpp>
#include "cuda/driver.hpp"
#include "cuda/graph/driver.hpp"
#include "cuda/graph/node_chain.hpp"
#include "cuda/graph/scratch_capture.hpp"

namespace adaptive::inline v1::cuda {

class CudaReplayDriver;
class ReplayClient;
class ReplayLearner;

struct TrackedLaunch {
  Operation* operation;
  Key key;
  TrackedGraph::Body body;
  CUcontext context;
  /// The variant that the program's executable runs, and the one that was captured.
  std::uint32_t variant;
  std::uint32_t captured;
  CUgraph graph = nullptr;  ///< the graph of the capture; null if it is not known
  /// The nodes in the captured graph; nothing if they cannot be updated.
  std::optional<Nodes> nodes = {};
  /// The nodes whose parameters the executable graph has now: `nodes`, or nodes of `scratch` after an update.
  Nodes present = {};
  std::shared_ptr<const ScratchGraph> scratch = {};
};

/// The new state of a stale launch.
struct TrackedChange {
  std::size_t index;
  Pin pin;
  Nodes nodes = {};
  std::shared_ptr<const ScratchGraph> scratch = {};
};

struct TrackedGraph::State {
  State();
  ~State();

  std::vector<Pin> pins;  // separate from the launches, because `stale` reads nothing else
  std::vector<TrackedLaunch> launches;
  bool mixed = false;

  GraphUpdate update(const Driver& driver, const GraphDriver& graphs, cudaGraphExec_t exec);
  GraphUpdate capture(const Driver& driver, const GraphDriver& graphs,
                      std::vector<TrackedChange>& changes) const;
  GraphUpdate apply(const Driver& driver, const GraphDriver& graphs, cudaGraphExec_t exec,
                    const std::vector<TrackedChange>& changes) const;

  // Replays.
  Timer* timer = nullptr;  // null: nothing is learned
  ReplayOptions options;
  ReplayCounters plain;  // replays of the program's executable, and of all that were cleared
  std::unique_ptr<CudaReplayDriver> replays;
  std::unique_ptr<ReplayLearner> learner;  // null until the first replay
  cudaGraphExec_t executable = nullptr;    // the program's own, as of the latest replay
  std::vector<std::uint32_t> running;      // what the replays that do not look run
  std::vector<std::uint32_t> refused;      // what the program's executable could not be updated to
  bool stands_in = false;                  // whether the stand-in is replayed
  bool begun = false;                      // whether learning has been begun, if it is possible
  bool said_impossible = false;

  ReplayClient* client() const noexcept;  // null: nothing is learned
  bool can_learn(const Driver& driver, cudaGraphExec_t exec, cudaStream_t stream) const;
  void begin_learning(const Driver& driver, const GraphDriver& graphs, cudaGraphExec_t exec);
  void end_learning() noexcept;
  void follow(TrackedGraph& self, cudaGraphExec_t exec);
};

}  // namespace adaptive::cuda
