// A copy of a captured graph in which launches are timed or have other nodes.
#pragma once

#include <optional>
#include <utility>

#include <cuda.h>

#include "cuda/graph/driver.hpp"
#include "cuda/graph/node_chain.hpp"
#include "cuda/graph/replay/copy_driver.hpp"

namespace adaptive::inline v1::cuda {

/// Owns the copy. The original stays as it is. If a member fails, the copy is of no use any more. A launch
/// whose edges to the nodes around it are more than an order cannot be changed; the edges within it may be.
class GraphCopy {
 public:
  /// Nothing if CUDA does not copy the graph, which is so for graphs with allocations or conditions. What
  /// edges carry is copied, too.
  static std::optional<GraphCopy> of(const GraphDriver& driver, const CopyDriver& copies, CUgraph original);
  GraphCopy(GraphCopy&& other) noexcept
      : driver_(other.driver_), copies_(other.copies_), graph_(std::exchange(other.graph_, nullptr)) {}
  GraphCopy& operator=(GraphCopy&& other) noexcept {
    std::swap(driver_, other.driver_);
    std::swap(copies_, other.copies_);
    std::swap(graph_, other.graph_);
    return *this;
  }
  ~GraphCopy() {
    if (graph_ != nullptr) driver_->graph_destroy(graph_);
  }

  CUgraph graph() const noexcept { return graph_; }
  /// The copy is the caller's, or nobody's because its context is gone.
  CUgraph release() noexcept { return std::exchange(graph_, nullptr); }

  /// The copies of nodes of the original.
  std::optional<Nodes> find(const Nodes& originals) const;
  /// Puts copies of the chain `by` of another graph in the place of the chain `nodes`, and returns them. The
  /// kernels keep the priority and the access window of the first kernel that they replace.
  std::optional<Nodes> replace(const Nodes& nodes, const Nodes& by, CUcontext context) const;
  /// Puts the graph `by` as a whole in the place of the chain `nodes`, and returns its node.
  std::optional<Nodes> replace(const Nodes& nodes, CUgraph by) const;
  /// Records `start` right before the first of the nodes and `end` right after the last one. What depended on
  /// the last node depends on the record then, as in a stream.
  bool time(const Nodes& nodes, CUevent start, CUevent end) const;
  /// Runs `kernel`, of one thread and one parameter, right before the first of the nodes with the parameter
  /// `start`, and right after the last one with `end`. What depended on the last node depends on the kernel
  /// then. The kernel has the priority of the nodes.
  bool stamp(const Nodes& nodes, CUfunction kernel, CUdeviceptr start, CUdeviceptr end,
             CUcontext context) const;

 private:
  GraphCopy(const GraphDriver& driver, const CopyDriver& copies, CUgraph graph) noexcept
      : driver_(&driver), copies_(&copies), graph_(graph) {}

  std::optional<Nodes> before(CUgraphNode node) const;
  std::optional<Nodes> after(CUgraphNode node) const;
  std::optional<CUgraphNode> add_copy(CUgraphNode of, const Nodes& behind, EdgeData edge,
                                      CUcontext context) const;
  bool set_edge(CUgraphNode from, CUgraphNode to, EdgeData edge) const;
  bool copy_edges(CUgraph original) const;
  void keep_stream_attributes(CUgraphNode node, const Nodes& replaced) const;
  template <class Add>
  bool enclose(const Nodes& nodes, Add add) const;
  bool put_in_place(const Nodes& nodes, CUgraphNode last, const Nodes& behind) const;

  const GraphDriver* driver_;
  const CopyDriver* copies_;
  CUgraph graph_;
};

}  // namespace adaptive::cuda
