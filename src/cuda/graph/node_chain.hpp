// Which nodes a launch has added to a graph, and how those of one graph get the parameters of another.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <cuda.h>

#include "cuda/driver.hpp"
#include "cuda/graph/driver.hpp"

namespace adaptive::inline v1::cuda {

using Nodes = std::vector<CUgraphNode>;

/// Where a stream's capture stands.
struct CapturePoint {
  bool active = false;
  /// Whether the rest can be relied upon.
  bool known = false;
  cuuint64_t id = 0;
  CUgraph graph = nullptr;
  std::size_t node_count = 0;
  /// What the next node of the stream will depend on.
  Nodes dependencies;
  /// All nodes, asked for only where there are no dependencies: nothing else tells then which are new.
  Nodes nodes;

  static CapturePoint of(const GraphDriver& driver, CUstream stream);
};

/// The nodes that were added between two points of one stream, first to last. Nothing where they are not a
/// line of kernels, memsets and copies that begins where the stream stood: the work forked, joined another
/// stream, or uses programmatic dependent launch.
std::optional<Nodes> chain_between(const GraphDriver& driver, const CapturePoint& before,
                                   const CapturePoint& after);

/// Whether the nodes are of the same kinds, and the kernels' attributes the same that cannot be set in an
/// executable graph (clusters, cooperative launch, ...). Priority, access window and memory domain stay those
/// of the capture: they come from its stream.
bool interchangeable(const GraphDriver& driver, const Nodes& a, const Nodes& b);

/// A node of an executable graph that is to get the parameters of another node. `present` is the node whose
/// parameters it has now.
struct Assignment {
  CUgraphNode node;
  CUgraphNode present;
  CUgraphNode wanted;
  CUcontext context;
};

enum class Assigned {
  all,
  none,  ///< CUDA refused one; those before it are as they were
  some,  ///< and it refused to take them back
};

Assigned assign(const Driver& driver, const GraphDriver& graphs, CUgraphExec exec,
                const std::vector<Assignment>& assignments);

}  // namespace adaptive::cuda
