// Finds the nodes that a launch has added to a graph, and copies the parameters of nodes of one graph to
// those of another.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <cuda.h>

#include "cuda/driver.hpp"
#include "cuda/graph/driver.hpp"

namespace adaptive::inline v1::cuda {

using Nodes = std::vector<CUgraphNode>;

/// The state of a stream's capture.
struct CapturePoint {
  bool active = false;
  /// Whether the other members are valid.
  bool known = false;
  cuuint64_t id = 0;
  CUgraph graph = nullptr;
  std::size_t node_count = 0;
  /// The nodes on which the next node of the stream will depend.
  Nodes dependencies;
  /// All nodes of the graph. Read only if there are no dependencies, because then nothing else tells which
  /// nodes are new.
  Nodes nodes;

  static CapturePoint of(const GraphDriver& driver, CUstream stream);
};

/// Returns the nodes that were added between two points of one stream, first to last. Returns nothing unless
/// they form a single chain of kernels, memsets and copies that begins where the stream was: the work may
/// have forked, joined another stream, or begun with a kernel that need not wait for the work before it
/// (programmatic dependent launch). Within the chain, kernels may be launched in this way.
std::optional<Nodes> chain_between(const GraphDriver& driver, const CapturePoint& before,
                                   const CapturePoint& after);

/// The nodes on which a node depends, and what the edges carry.
struct Dependencies {
  Nodes nodes;
  std::vector<EdgeData> edges;
};
/// Returns nothing if the driver cannot tell.
std::optional<Dependencies> dependencies_of(const GraphDriver& driver, CUgraphNode node);
/// What the edge from one node to another carries; nothing if there is none, or if the driver cannot tell.
std::optional<EdgeData> edge_between(const GraphDriver& driver, CUgraphNode from, CUgraphNode to);

/// Whether the nodes have the same kinds and the same edges between them, and the kernels agree in the
/// attributes that cannot be set in an executable graph (clusters, cooperative launch, ...). Priority, access
/// window and memory domain may differ: they come from the stream, and the captured values stay in effect.
bool interchangeable(const GraphDriver& driver, const Nodes& a, const Nodes& b);

/// A node of an executable graph that is to get the parameters of the node `wanted`. `present` is the node
/// whose parameters it has now.
struct Assignment {
  CUgraphNode node;
  CUgraphNode present;
  CUgraphNode wanted;
  CUcontext context;
};

enum class Assigned {
  all,
  none,  ///< CUDA refused a change; the changes before it were taken back
  some,  ///< CUDA refused a change, and also refused to take back those before it
};

/// `refused` becomes the index of the change that CUDA refused.
Assigned assign(const Driver& driver, const GraphDriver& graphs, CUgraphExec exec,
                const std::vector<Assignment>& assignments, std::size_t* refused = nullptr);

}  // namespace adaptive::cuda
