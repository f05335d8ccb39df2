#include "cuda/graph/node_chain.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace adaptive::inline v1::cuda {
namespace {

bool contains(const Nodes& nodes, CUgraphNode node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

bool same_set(Nodes a, Nodes b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

bool can_be_set(CUgraphNodeType type) {
  return type == CU_GRAPH_NODE_TYPE_KERNEL || type == CU_GRAPH_NODE_TYPE_MEMCPY ||
         type == CU_GRAPH_NODE_TYPE_MEMSET;
}

// Numbers stand for attributes that the headers of CUDA 12.0 do not name. A driver that does not know an
// attribute refuses it for every node alike.
constexpr std::array<CUlaunchAttributeID, 6> fixed_attributes = {
    CU_LAUNCH_ATTRIBUTE_COOPERATIVE,
    CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION,
    CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE,
    static_cast<CUlaunchAttributeID>(11),  // preferred cluster dimension
    static_cast<CUlaunchAttributeID>(13),  // updatable from the device
    static_cast<CUlaunchAttributeID>(14),  // preferred shared-memory carveout
};

bool same_attributes(const GraphDriver& driver, CUgraphNode a, CUgraphNode b) {
  return std::all_of(fixed_attributes.begin(), fixed_attributes.end(), [&](CUlaunchAttributeID id) {
    CUlaunchAttributeValue of_a, of_b;
    std::memset(&of_a, 0, sizeof of_a);
    std::memset(&of_b, 0, sizeof of_b);
    return driver.kernel_attribute(a, id, &of_a) == driver.kernel_attribute(b, id, &of_b) &&
           std::memcmp(&of_a, &of_b, sizeof of_a) == 0;
  });
}

template <class Params>
struct Read {
  Params params;
  CUresult status;
};

// Bytes that the driver does not write are zero, so that two results can be compared with memcmp.
template <class Params>
Read<Params> read(CUresult (*get)(CUgraphNode, Params*), CUgraphNode node) {
  Read<Params> result;
  std::memset(&result, 0, sizeof result);
  result.status = get(node, &result.params);
  return result;
}

template <class Params>
CUresult assign_memory(CUresult (*get)(CUgraphNode, Params*),
                       CUresult (*set)(CUgraphExec, CUgraphNode, const Params*, CUcontext), CUgraphExec exec,
                       const Assignment& a) {
  const Read<Params> now = read(get, a.present), then = read(get, a.wanted);
  if (then.status != CUDA_SUCCESS) return then.status;
  // CUDA refuses to set some kinds of node at all, so nothing is set if nothing differs.
  if (now.status == CUDA_SUCCESS && std::memcmp(&now.params, &then.params, sizeof(Params)) == 0)
    return CUDA_SUCCESS;
  return set(exec, a.node, &then.params, a.context);
}

CUresult assign_one(const GraphDriver& driver, CUgraphExec exec, const Assignment& a) {
  CUgraphNodeType type{};
  if (const CUresult status = driver.node_type(a.wanted, &type); status != CUDA_SUCCESS) return status;
  switch (type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: {
      const auto kernel = read(driver.kernel_params, a.wanted);
      return kernel.status != CUDA_SUCCESS ? kernel.status : driver.set_kernel(exec, a.node, &kernel.params);
    }
    case CU_GRAPH_NODE_TYPE_MEMSET:
      return assign_memory(driver.memset_params, driver.set_memset, exec, a);
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return assign_memory(driver.memcpy_params, driver.set_memcpy, exec, a);
    default:
      return CUDA_ERROR_NOT_SUPPORTED;
  }
}

}  // namespace

CapturePoint CapturePoint::of(const GraphDriver& driver, CUstream stream) {
  CapturePoint point;
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  const CUgraphNode* dependencies = nullptr;
  std::size_t count = 0;
  const CUresult answer =
      driver.capture_info(stream, &status, &point.id, &point.graph, &dependencies, &count);
  if (answer == lossy_query) {
    point.active = true;  // only a capture has dependencies
    return point;
  }
  // Any other error means the legacy stream while a blocking stream captures; that is not a capture of this
  // stream.
  if (answer != CUDA_SUCCESS) return point;
  point.active = status != CU_STREAM_CAPTURE_STATUS_NONE;
  if (status != CU_STREAM_CAPTURE_STATUS_ACTIVE) return point;
  point.dependencies.assign(dependencies, dependencies + count);
  if (driver.graph_nodes(point.graph, nullptr, &point.node_count) != CUDA_SUCCESS) return point;
  if (count == 0 && point.node_count != 0) {
    point.nodes.resize(point.node_count);
    if (driver.graph_nodes(point.graph, point.nodes.data(), &point.node_count) != CUDA_SUCCESS) return point;
  }
  point.known = true;
  return point;
}

std::optional<Nodes> chain_between(const GraphDriver& driver, const CapturePoint& before,
                                   const CapturePoint& after) {
  if (!before.known || !after.known || before.id != after.id || before.graph != after.graph ||
      after.node_count < before.node_count)
    return std::nullopt;
  const std::size_t added = after.node_count - before.node_count;
  Nodes chain, behind = after.dependencies;
  std::vector<EdgeData> edges;  // to the nodes `behind`
  while (chain.size() < added) {
    // If the body has left work on another stream, this walk ends at the wrong place or finds a fork.
    if (behind.size() != 1) return std::nullopt;
    const CUgraphNode node = behind.front();
    CUgraphNodeType type{};
    if (driver.node_type(node, &type) != CUDA_SUCCESS || !can_be_set(type) || contains(before.nodes, node) ||
        contains(before.dependencies, node))
      return std::nullopt;
    chain.push_back(node);
    std::optional<Dependencies> dependencies = dependencies_of(driver, node);
    if (!dependencies) return std::nullopt;
    behind = std::move(dependencies->nodes);
    edges = std::move(dependencies->edges);
  }
  const auto is_order = [](const EdgeData& edge) { return edge.is_order(); };
  if (!same_set(behind, before.dependencies) || !std::all_of(edges.begin(), edges.end(), is_order))
    return std::nullopt;
  std::reverse(chain.begin(), chain.end());
  return chain;
}

std::optional<Dependencies> dependencies_of(const GraphDriver& driver, CUgraphNode node) {
  Dependencies found;
  std::size_t count = 0;
  const auto list = [&](CUgraphNode* nodes, EdgeData* edges) {
    return driver.edges_into != nullptr ? driver.edges_into(node, nodes, edges, &count)
                                        : driver.node_dependencies(node, nodes, &count);
  };
  if (list(nullptr, nullptr) != CUDA_SUCCESS) return std::nullopt;
  found.nodes.resize(count);
  found.edges.resize(count);
  if (count != 0 && list(found.nodes.data(), found.edges.data()) != CUDA_SUCCESS) return std::nullopt;
  return found;
}

std::optional<EdgeData> edge_between(const GraphDriver& driver, CUgraphNode from, CUgraphNode to) {
  const std::optional<Dependencies> all = dependencies_of(driver, to);
  if (!all) return std::nullopt;
  const auto at = std::find(all->nodes.begin(), all->nodes.end(), from);
  if (at == all->nodes.end()) return std::nullopt;
  return all->edges[static_cast<std::size_t>(at - all->nodes.begin())];
}

bool interchangeable(const GraphDriver& driver, const Nodes& a, const Nodes& b) {
  const bool same_nodes =
      std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](CUgraphNode one, CUgraphNode other) {
        CUgraphNodeType type{}, other_type{};
        return driver.node_type(one, &type) == CUDA_SUCCESS &&
               driver.node_type(other, &other_type) == CUDA_SUCCESS && type == other_type &&
               (type != CU_GRAPH_NODE_TYPE_KERNEL || same_attributes(driver, one, other));
      });
  if (!same_nodes) return false;
  for (std::size_t i = 1; i < a.size(); ++i)
    if (edge_between(driver, a[i - 1], a[i]) != edge_between(driver, b[i - 1], b[i])) return false;
  return true;
}

Assigned assign(const Driver& driver, const GraphDriver& graphs, CUgraphExec exec,
                const std::vector<Assignment>& assignments, std::size_t* refused) {
  const auto set = [&](const Assignment& assignment) {
    const CurrentContext current(driver, assignment.context);
    return assign_one(graphs, exec, assignment) == CUDA_SUCCESS;
  };
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    if (set(assignments[i])) continue;
    if (refused != nullptr) *refused = i;
    while (i != 0) {
      Assignment back = assignments[--i];
      std::swap(back.present, back.wanted);
      if (!set(back)) return Assigned::some;
    }
    return Assigned::none;
  }
  return Assigned::all;
}

}  // namespace adaptive::cuda
