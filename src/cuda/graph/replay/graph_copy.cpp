#include "cuda/graph/replay/graph_copy.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

namespace adaptive::inline v1::cuda {
namespace {

// What a kernel gets from the stream of its capture.
constexpr std::array stream_attributes = {CU_LAUNCH_ATTRIBUTE_PRIORITY,
                                          CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW};

template <class Get>
std::optional<Nodes> list(Get get, CUgraphNode node) {
  std::size_t count = 0;
  if (get(node, nullptr, &count) != CUDA_SUCCESS) return std::nullopt;
  Nodes nodes(count);
  if (count != 0 && get(node, nodes.data(), &count) != CUDA_SUCCESS) return std::nullopt;
  return nodes;
}

}  // namespace

std::optional<GraphCopy> GraphCopy::of(const GraphDriver& driver, const CopyDriver& copies,
                                       CUgraph original) {
  CUgraph graph = nullptr;
  if (original == nullptr || copies.graph_clone(&graph, original) != CUDA_SUCCESS) return std::nullopt;
  GraphCopy copy(driver, copies, graph);
  if (!copy.copy_edges(original)) return std::nullopt;
  return copy;
}

// Whether CUDA's clone keeps what edges carry is not documented.
bool GraphCopy::copy_edges(CUgraph original) const {
  if (copies_->edges == nullptr) return true;
  std::size_t count = 0;
  if (copies_->edges(original, nullptr, nullptr, nullptr, &count) != CUDA_SUCCESS) return false;
  Nodes from(count);
  Nodes to(count);
  std::vector<EdgeData> edges(count);
  if (count != 0 && copies_->edges(original, from.data(), to.data(), edges.data(), &count) != CUDA_SUCCESS)
    return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (edges[i].is_order()) continue;
    const std::optional<Nodes> ends = find({from[i], to[i]});
    if (!ends || !set_edge(ends->front(), ends->back(), edges[i])) return false;
  }
  return true;
}

// Sets what the edge between two nodes of the copy carries. The edge exists.
bool GraphCopy::set_edge(CUgraphNode from, CUgraphNode to, EdgeData edge) const {
  const std::optional<EdgeData> present = edge_between(*driver_, from, to);
  if (!present || *present == edge) return present.has_value();
  return copies_->remove_edges(graph_, &from, &to, &*present, 1) == CUDA_SUCCESS &&
         copies_->add_edges(graph_, &from, &to, &edge, 1) == CUDA_SUCCESS;
}

std::optional<Nodes> GraphCopy::find(const Nodes& originals) const {
  Nodes nodes;
  for (CUgraphNode original : originals) {
    CUgraphNode node = nullptr;
    if (copies_->find_in_clone(&node, original, graph_) != CUDA_SUCCESS) return std::nullopt;
    nodes.push_back(node);
  }
  return nodes;
}

std::optional<Nodes> GraphCopy::before(CUgraphNode node) const {
  return list(driver_->node_dependencies, node);
}

std::optional<Nodes> GraphCopy::after(CUgraphNode node) const {
  return list(copies_->dependents, node);
}

// The edges from the nodes `behind` carry `edge`.
std::optional<CUgraphNode> GraphCopy::add_copy(CUgraphNode of, const Nodes& behind, EdgeData edge,
                                               CUcontext context) const {
  CUgraphNodeType type{};
  if (driver_->node_type(of, &type) != CUDA_SUCCESS) return std::nullopt;
  CUgraphNode node = nullptr;
  CUresult status = CUDA_ERROR_NOT_SUPPORTED;
  if (type == CU_GRAPH_NODE_TYPE_KERNEL) {
    CUDA_KERNEL_NODE_PARAMS_v2 params{};
    status = driver_->kernel_params(of, &params);
    if (status == CUDA_SUCCESS)
      status = copies_->add_kernel(&node, graph_, behind.data(), behind.size(), &params);
    if (status == CUDA_SUCCESS) status = copies_->copy_attributes(node, of);
  } else if (type == CU_GRAPH_NODE_TYPE_MEMSET) {
    CUDA_MEMSET_NODE_PARAMS_v1 params{};
    status = driver_->memset_params(of, &params);
    if (status == CUDA_SUCCESS)
      status = copies_->add_memset(&node, graph_, behind.data(), behind.size(), &params, context);
  } else if (type == CU_GRAPH_NODE_TYPE_MEMCPY) {
    CUDA_MEMCPY3D_v2 params{};
    status = driver_->memcpy_params(of, &params);
    if (status == CUDA_SUCCESS)
      status = copies_->add_memcpy(&node, graph_, behind.data(), behind.size(), &params, context);
  }
  if (status != CUDA_SUCCESS) return std::nullopt;
  if (!edge.is_order())
    for (CUgraphNode from : behind)
      if (!set_edge(from, node, edge)) return std::nullopt;
  return node;
}

// What is not supported by the driver or the function stays at its default.
void GraphCopy::keep_stream_attributes(CUgraphNode node, const Nodes& replaced) const {
  for (CUgraphNode from : replaced) {
    CUgraphNodeType type{};
    if (driver_->node_type(from, &type) != CUDA_SUCCESS || type != CU_GRAPH_NODE_TYPE_KERNEL) continue;
    for (const CUlaunchAttributeID id : stream_attributes) {
      CUlaunchAttributeValue value;
      std::memset(&value, 0, sizeof value);
      if (driver_->kernel_attribute(from, id, &value) == CUDA_SUCCESS)
        copies_->set_attribute(node, id, &value);
    }
    return;
  }
}

// What depended on the chain depends on `last`, and the chain is gone.
bool GraphCopy::put_in_place(const Nodes& nodes, CUgraphNode last, const Nodes& behind) const {
  for (CUgraphNode node : behind)
    if (copies_->add_dependencies(graph_, &last, &node, 1) != CUDA_SUCCESS) return false;
  for (CUgraphNode node : nodes)
    if (copies_->destroy_node(node) != CUDA_SUCCESS) return false;
  return true;
}

std::optional<Nodes> GraphCopy::replace(const Nodes& nodes, const Nodes& by, CUcontext context) const {
  if (nodes.empty() || by.empty()) return std::nullopt;
  std::optional<Nodes> last = before(nodes.front());
  const std::optional<Nodes> behind = after(nodes.back());
  if (!last || !behind) return std::nullopt;
  Nodes added;
  for (std::size_t i = 0; i < by.size(); ++i) {
    CUgraphNode of = by[i];
    const std::optional<EdgeData> edge = i == 0 ? EdgeData{} : edge_between(*driver_, by[i - 1], of);
    if (!edge) return std::nullopt;
    const std::optional<CUgraphNode> node = add_copy(of, *last, *edge, context);
    if (!node) return std::nullopt;
    CUgraphNodeType type{};
    if (driver_->node_type(of, &type) == CUDA_SUCCESS && type == CU_GRAPH_NODE_TYPE_KERNEL)
      keep_stream_attributes(*node, nodes);
    added.push_back(*node);
    last = Nodes{*node};
  }
  if (!put_in_place(nodes, added.back(), *behind)) return std::nullopt;
  return added;
}

std::optional<Nodes> GraphCopy::replace(const Nodes& nodes, CUgraph by) const {
  if (nodes.empty()) return std::nullopt;
  const std::optional<Nodes> ahead = before(nodes.front());
  const std::optional<Nodes> behind = after(nodes.back());
  CUgraphNode node = nullptr;
  if (!ahead || !behind ||
      copies_->add_child(&node, graph_, ahead->data(), ahead->size(), by) != CUDA_SUCCESS ||
      !put_in_place(nodes, node, *behind))
    return std::nullopt;
  return Nodes{node};
}

// `add(behind, is_start)` adds a node behind others.
template <class Add>
bool GraphCopy::enclose(const Nodes& nodes, Add add) const {
  if (nodes.empty()) return false;
  CUgraphNode first = nodes.front();
  CUgraphNode last = nodes.back();
  const std::optional<Nodes> ahead = before(first);
  const std::optional<Nodes> behind = after(last);
  if (!ahead || !behind) return false;
  CUgraphNode begins = add(*ahead, true);
  CUgraphNode ends = add({last}, false);
  if (begins == nullptr || ends == nullptr) return false;
  for (CUgraphNode node : *ahead)
    if (copies_->remove_dependencies(graph_, &node, &first, 1) != CUDA_SUCCESS) return false;
  if (copies_->add_dependencies(graph_, &begins, &first, 1) != CUDA_SUCCESS) return false;
  for (CUgraphNode node : *behind)
    if (copies_->remove_dependencies(graph_, &last, &node, 1) != CUDA_SUCCESS ||
        copies_->add_dependencies(graph_, &ends, &node, 1) != CUDA_SUCCESS)
      return false;
  return true;
}

bool GraphCopy::time(const Nodes& nodes, CUevent start, CUevent end) const {
  return enclose(nodes, [&](const Nodes& behind, bool is_start) {
    CUgraphNode node = nullptr;
    const CUresult status =
        copies_->add_event(&node, graph_, behind.data(), behind.size(), is_start ? start : end);
    return status == CUDA_SUCCESS ? node : nullptr;
  });
}

bool GraphCopy::stamp(const Nodes& nodes, CUfunction kernel, CUdeviceptr start, CUdeviceptr end,
                      CUcontext context) const {
  return enclose(nodes, [&](const Nodes& behind, bool is_start) {
    CUdeviceptr at = is_start ? start : end;
    void* arguments[] = {&at};
    CUDA_KERNEL_NODE_PARAMS_v2 params{};
    params.func = kernel;
    params.gridDimX = params.gridDimY = params.gridDimZ = 1;
    params.blockDimX = params.blockDimY = params.blockDimZ = 1;
    params.kernelParams = arguments;
    params.ctx = context;
    CUgraphNode node = nullptr;
    if (copies_->add_kernel(&node, graph_, behind.data(), behind.size(), &params) != CUDA_SUCCESS)
      node = nullptr;
    if (node != nullptr) keep_stream_attributes(node, nodes);
    return node;
  });
}

}  // namespace adaptive::cuda
