// A driver made of tables: captures, graphs, executables and events, without a GPU. One world at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <cuda.h>

#include "cuda/driver.hpp"
#include "cuda/graph/driver.hpp"
#include "cuda/graph/replay/copy_driver.hpp"

namespace adaptive::inline v1::cuda::test {

class GraphWorld {
 public:
  struct Node {
    CUgraphNodeType type = CU_GRAPH_NODE_TYPE_KERNEL;
    unsigned params = 0;   // what a kernel does; it also takes so many µs
    unsigned cluster = 1;  // cannot be set in an executable
    int priority = 0;
    int event = 0;
    int child = 0;          // the graph
    CUdeviceptr stamp = 0;  // where the kernel notes the time
    std::vector<int> behind = {};
    bool lossy = false;
    unsigned char edge = 0;  // the type of the edges into the node
  };
  struct Graph {
    std::vector<int> nodes = {};
    std::map<int, int> clone_of = {};  // original → copy
  };
  struct Executable {
    std::vector<std::pair<int, Node>> nodes = {};  // in an order in which they can run
  };
  struct Stream {
    int graph = 0;  // that is being captured; 0: none
    std::vector<int> at = {};
  };

  std::map<int, Node> nodes;
  std::map<int, Graph> graphs;
  std::map<int, Executable> executables;
  std::map<int, Stream> streams;
  std::map<int, double> events;  // time of the latest record, in µs; -1: none
  double now_us = 0;
  std::vector<unsigned> ran;  // what the kernels of the latest replay did
  std::size_t free_memory = std::size_t{1} << 40;
  bool can_copy = true;
  bool holds_events = false;  // replays do not end
  std::function<bool(int node, unsigned params)> refuses = [](int, unsigned) { return false; };
  std::set<unsigned> not_copied;  // kernels that CUDA does not add
  int instantiated = 0;
  int uploaded = 0;
  int stamp_kernel = 0;  // the function that notes the time

  Driver driver;
  GraphDriver graph_driver;
  CopyDriver copy_driver;

  GraphWorld() {
    current() = this;
    std::memset(&driver, 0, sizeof driver);
    std::memset(&graph_driver, 0, sizeof graph_driver);
    std::memset(&copy_driver, 0, sizeof copy_driver);
    fill_driver();
    fill_graph_driver();
    fill_copy_driver();
  }
  GraphWorld(const GraphWorld&) = delete;
  GraphWorld& operator=(const GraphWorld&) = delete;
  ~GraphWorld() { current() = nullptr; }

  template <class Handle>
  static Handle handle(int number) {
    return reinterpret_cast<Handle>(static_cast<std::uintptr_t>(number));
  }
  template <class Handle>
  static int number(Handle handle) {
    return static_cast<int>(reinterpret_cast<std::uintptr_t>(handle));
  }

  CUstream stream() {
    streams[++last_] = {};
    return handle<CUstream>(last_);
  }
  /// What a program enqueues on a stream that is being captured.
  int enqueue(CUstream on, Node node) {
    Stream& s = streams.at(number(on));
    node.behind = s.at;
    const int added = add(s.graph, node);
    s.at = {added};
    return added;
  }
  int add(int graph, Node node) {
    nodes[++last_] = std::move(node);
    graphs.at(graph).nodes.push_back(last_);
    return last_;
  }
  std::size_t events_alive() const { return events.size(); }

 private:
  static GraphWorld*& current() {
    static GraphWorld* world = nullptr;
    return world;
  }
  static GraphWorld& w() { return *current(); }

  static CUresult list(const std::vector<int>& from, CUgraphNode* out, std::size_t* count) {
    if (out != nullptr)
      for (std::size_t i = 0; i < std::min(*count, from.size()); ++i) out[i] = handle<CUgraphNode>(from[i]);
    *count = from.size();
    return CUDA_SUCCESS;
  }

  int graph_of(int node) const {
    for (const auto& [graph, of] : graphs)
      if (std::find(of.nodes.begin(), of.nodes.end(), node) != of.nodes.end()) return graph;
    return 0;
  }
  std::vector<int> dependents(int node) const {
    std::vector<int> found;
    for (const int other : graphs.at(graph_of(node)).nodes) {
      const auto& behind = nodes.at(other).behind;
      if (std::find(behind.begin(), behind.end(), node) != behind.end()) found.push_back(other);
    }
    return found;
  }
  // In an order in which they can run; empty if there is a cycle.
  std::vector<std::pair<int, Node>> sorted(int graph) const {
    std::vector<std::pair<int, Node>> order;
    std::set<int> done;
    const auto& all = graphs.at(graph).nodes;
    while (order.size() < all.size()) {
      const std::size_t before = order.size();
      for (const int node : all) {
        const auto& behind = nodes.at(node).behind;
        if (done.contains(node) ||
            !std::all_of(behind.begin(), behind.end(), [&](int b) { return done.contains(b); }))
          continue;
        order.emplace_back(node, nodes.at(node));
        done.insert(node);
      }
      if (order.size() == before) return {};
    }
    return order;
  }
  static CUresult add_node(CUgraphNode* out, CUgraph graph, const CUgraphNode* behind, std::size_t count,
                           Node node) {
    for (std::size_t i = 0; i < count; ++i) {
      if (w().graph_of(number(behind[i])) != number(graph)) return CUDA_ERROR_INVALID_VALUE;
      node.behind.push_back(number(behind[i]));
    }
    *out = handle<CUgraphNode>(w().add(number(graph), std::move(node)));
    return CUDA_SUCCESS;
  }
  void run(const std::vector<std::pair<int, Node>>& order) {
    for (const auto& [id, node] : order) {
      if (node.type == CU_GRAPH_NODE_TYPE_EVENT_RECORD) {
        events.at(node.event) = now_us;
      } else if (node.type == CU_GRAPH_NODE_TYPE_GRAPH) {
        run(sorted(node.child));
      } else if (node.stamp != 0) {
        *reinterpret_cast<std::uint64_t*>(node.stamp) = static_cast<std::uint64_t>(now_us * 1e3);
      } else {
        ran.push_back(node.params);
        now_us += node.params;
      }
    }
  }
  static CUresult set_params(CUgraphExec exec, CUgraphNode node, unsigned params) {
    if (w().refuses(number(node), params)) return CUDA_ERROR_INVALID_VALUE;
    for (auto& [id, of] : w().executables.at(number(exec)).nodes)
      if (id == number(node)) {
        of.params = params;
        return CUDA_SUCCESS;
      }
    return CUDA_ERROR_INVALID_VALUE;
  }

  void fill_driver() {
    driver.ctx_push = [](CUcontext) { return CUDA_SUCCESS; };
    driver.ctx_pop = [](CUcontext*) { return CUDA_SUCCESS; };
    driver.ctx_get_id = [](CUcontext context, unsigned long long* id) {
      *id = static_cast<unsigned long long>(number(context));
      return CUDA_SUCCESS;
    };
    driver.exchange_capture_mode = [](CUstreamCaptureMode*) { return CUDA_SUCCESS; };
    driver.event_create = [](CUevent* event, unsigned) {
      w().events[++w().last_] = -1;
      *event = handle<CUevent>(w().last_);
      return CUDA_SUCCESS;
    };
    driver.event_destroy = [](CUevent event) {
      return w().events.erase(number(event)) == 1 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
    };
    driver.event_record = [](CUevent event, CUstream) {
      w().events.at(number(event)) = w().now_us;
      return CUDA_SUCCESS;
    };
    driver.event_query = [](CUevent) { return w().holds_events ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS; };
    driver.event_elapsed_ms = [](float* ms, CUevent start, CUevent end) {
      const double from = w().events.at(number(start));
      const double to = w().events.at(number(end));
      if (from < 0 || to < 0) return CUDA_ERROR_INVALID_HANDLE;
      *ms = static_cast<float>((to - from) / 1e3);
      return CUDA_SUCCESS;
    };
  }

  void fill_graph_driver() {
    GraphDriver& g = graph_driver;
    g.stream_create = [](CUstream* stream, unsigned) {
      *stream = w().stream();
      return CUDA_SUCCESS;
    };
    g.stream_destroy = [](CUstream stream) {
      w().streams.erase(number(stream));
      return CUDA_SUCCESS;
    };
    g.begin_capture = [](CUstream stream, CUstreamCaptureMode) {
      w().graphs[++w().last_] = {};
      w().streams.at(number(stream)) = {w().last_, {}};
      return CUDA_SUCCESS;
    };
    g.end_capture = [](CUstream stream, CUgraph* graph) {
      *graph = handle<CUgraph>(w().streams.at(number(stream)).graph);
      w().streams.at(number(stream)) = {};
      return CUDA_SUCCESS;
    };
    g.capture_info = [](CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
                        const CUgraphNode** dependencies, std::size_t* count) {
      static std::vector<CUgraphNode> buffer;
      const Stream& s = w().streams.at(number(stream));
      *status = s.graph != 0 ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;
      *id = static_cast<cuuint64_t>(s.graph);
      *graph = handle<CUgraph>(s.graph);
      buffer.clear();
      for (const int node : s.at) buffer.push_back(handle<CUgraphNode>(node));
      *dependencies = buffer.data();
      *count = buffer.size();
      return CUDA_SUCCESS;
    };
    g.graph_nodes = [](CUgraph graph, CUgraphNode* out, std::size_t* count) {
      return list(w().graphs.at(number(graph)).nodes, out, count);
    };
    g.graph_destroy = [](CUgraph graph) {
      for (const int node : w().graphs.at(number(graph)).nodes) w().nodes.erase(node);
      w().graphs.erase(number(graph));
      return CUDA_SUCCESS;
    };
    g.node_type = [](CUgraphNode node, CUgraphNodeType* type) {
      *type = w().nodes.at(number(node)).type;
      return CUDA_SUCCESS;
    };
    g.node_dependencies = [](CUgraphNode node, CUgraphNode* out, std::size_t* count) {
      const Node& of = w().nodes.at(number(node));
      return of.lossy || of.edge != 0 ? lossy_query : list(of.behind, out, count);
    };
    g.edges_into = [](CUgraphNode node, CUgraphNode* out, EdgeData* edges, std::size_t* count) {
      const Node& of = w().nodes.at(number(node));
      if (of.lossy) return lossy_query;
      if (out != nullptr) std::fill_n(edges, std::min(*count, of.behind.size()), EdgeData{.type = of.edge});
      return list(of.behind, out, count);
    };
    g.kernel_params = [](CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v2* params) {
      params->gridDimX = w().nodes.at(number(node)).params;
      return CUDA_SUCCESS;
    };
    g.kernel_attribute = [](CUgraphNode node, CUlaunchAttributeID id, CUlaunchAttributeValue* value) {
      const Node& of = w().nodes.at(number(node));
      if (id == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) value->clusterDim.x = of.cluster;
      if (id == CU_LAUNCH_ATTRIBUTE_PRIORITY) value->priority = of.priority;
      return CUDA_SUCCESS;
    };
    g.memset_params = [](CUgraphNode node, CUDA_MEMSET_NODE_PARAMS_v1* params) {
      params->value = w().nodes.at(number(node)).params;
      return CUDA_SUCCESS;
    };
    g.set_kernel = [](CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2* params) {
      return set_params(exec, node, params->gridDimX);
    };
    g.set_memset = [](CUgraphExec exec, CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS_v1* params,
                      CUcontext) { return set_params(exec, node, params->value); };
  }

  void fill_copy_driver() {
    CopyDriver& c = copy_driver;
    c.graph_clone = [](CUgraph* clone, CUgraph original) {
      if (!w().can_copy) return CUDA_ERROR_NOT_SUPPORTED;
      Graph copy;
      const int graph = ++w().last_;
      for (const int node : w().graphs.at(number(original)).nodes) {
        w().nodes[++w().last_] = w().nodes.at(node);
        w().nodes[w().last_].edge = 0;  // CUDA does not say whether it copies what edges carry
        copy.clone_of[node] = w().last_;
        copy.nodes.push_back(w().last_);
      }
      for (const int node : copy.nodes)
        for (int& behind : w().nodes.at(node).behind) behind = copy.clone_of.at(behind);
      w().graphs[graph] = copy;
      *clone = handle<CUgraph>(graph);
      return CUDA_SUCCESS;
    };
    c.find_in_clone = [](CUgraphNode* node, CUgraphNode original, CUgraph clone) {
      const auto& map = w().graphs.at(number(clone)).clone_of;
      const auto at = map.find(number(original));
      if (at == map.end()) return CUDA_ERROR_INVALID_VALUE;
      *node = handle<CUgraphNode>(at->second);
      return CUDA_SUCCESS;
    };
    c.dependents = [](CUgraphNode node, CUgraphNode* out, std::size_t* count) {
      return list(w().dependents(number(node)), out, count);
    };
    c.add_dependencies = [](CUgraph, const CUgraphNode* from, const CUgraphNode* to, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) {
        auto& behind = w().nodes.at(number(to[i])).behind;
        if (std::find(behind.begin(), behind.end(), number(from[i])) != behind.end())
          return CUDA_ERROR_INVALID_VALUE;
        behind.push_back(number(from[i]));
      }
      return CUDA_SUCCESS;
    };
    c.remove_dependencies = [](CUgraph, const CUgraphNode* from, const CUgraphNode* to, std::size_t count) {
      for (std::size_t i = 0; i < count; ++i)
        if (std::erase(w().nodes.at(number(to[i])).behind, number(from[i])) != 1)
          return CUDA_ERROR_INVALID_VALUE;
      return CUDA_SUCCESS;
    };
    c.edges = [](CUgraph graph, CUgraphNode* from, CUgraphNode* to, EdgeData* edges, std::size_t* count) {
      std::size_t found = 0;
      for (const int node : w().graphs.at(number(graph)).nodes)
        for (const int behind : w().nodes.at(node).behind) {
          if (from != nullptr && found < *count) {
            from[found] = handle<CUgraphNode>(behind);
            to[found] = handle<CUgraphNode>(node);
            edges[found] = {.type = w().nodes.at(node).edge};
          }
          ++found;
        }
      *count = found;
      return CUDA_SUCCESS;
    };
    c.add_edges = [](CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, const EdgeData* edges,
                     std::size_t count) {
      for (std::size_t i = 0; i < count; ++i) w().nodes.at(number(to[i])).edge = edges[i].type;
      return w().copy_driver.add_dependencies(graph, from, to, count);
    };
    c.remove_edges = [](CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, const EdgeData* edges,
                        std::size_t count) {
      for (std::size_t i = 0; i < count; ++i)
        if (w().nodes.at(number(to[i])).edge != edges[i].type) return CUDA_ERROR_INVALID_VALUE;
      return w().copy_driver.remove_dependencies(graph, from, to, count);
    };
    c.destroy_node = [](CUgraphNode node) {
      const int graph = w().graph_of(number(node));
      for (const int other : w().dependents(number(node)))
        std::erase(w().nodes.at(other).behind, number(node));
      std::erase(w().graphs.at(graph).nodes, number(node));
      w().nodes.erase(number(node));
      return CUDA_SUCCESS;
    };
    c.add_event = [](CUgraphNode* node, CUgraph graph, const CUgraphNode* behind, std::size_t count,
                     CUevent event) {
      return add_node(node, graph, behind, count,
                      {.type = CU_GRAPH_NODE_TYPE_EVENT_RECORD, .event = number(event)});
    };
    c.add_child = [](CUgraphNode* node, CUgraph graph, const CUgraphNode* behind, std::size_t count,
                     CUgraph child) {
      return add_node(node, graph, behind, count, {.type = CU_GRAPH_NODE_TYPE_GRAPH, .child = number(child)});
    };
    c.add_kernel = [](CUgraphNode* node, CUgraph graph, const CUgraphNode* behind, std::size_t count,
                      const CUDA_KERNEL_NODE_PARAMS_v2* params) {
      if (w().stamp_kernel != 0 && number(params->func) == w().stamp_kernel)
        return add_node(node, graph, behind, count,
                        {.stamp = *static_cast<CUdeviceptr*>(params->kernelParams[0])});
      if (w().not_copied.contains(params->gridDimX)) return CUDA_ERROR_NOT_SUPPORTED;
      return add_node(node, graph, behind, count, {.params = params->gridDimX});
    };
    c.add_memset = [](CUgraphNode* node, CUgraph graph, const CUgraphNode* behind, std::size_t count,
                      const CUDA_MEMSET_NODE_PARAMS_v1* params, CUcontext) {
      return add_node(node, graph, behind, count,
                      {.type = CU_GRAPH_NODE_TYPE_MEMSET, .params = params->value});
    };
    c.copy_attributes = [](CUgraphNode to, CUgraphNode from) {
      w().nodes.at(number(to)).cluster = w().nodes.at(number(from)).cluster;
      w().nodes.at(number(to)).priority = w().nodes.at(number(from)).priority;
      return CUDA_SUCCESS;
    };
    c.set_attribute = [](CUgraphNode node, CUlaunchAttributeID id, const CUlaunchAttributeValue* value) {
      if (id == CU_LAUNCH_ATTRIBUTE_PRIORITY) w().nodes.at(number(node)).priority = value->priority;
      return CUDA_SUCCESS;
    };
    c.instantiate = [](CUgraphExec* exec, CUgraph graph, unsigned long long) {
      const auto order = w().sorted(number(graph));
      if (order.empty()) return CUDA_ERROR_INVALID_VALUE;
      w().executables[++w().last_] = {order};
      *exec = handle<CUgraphExec>(w().last_);
      ++w().instantiated;
      return CUDA_SUCCESS;
    };
    c.exec_destroy = [](CUgraphExec exec) {
      return w().executables.erase(number(exec)) == 1 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    };
    c.launch = [](CUgraphExec exec, CUstream) {
      w().ran.clear();
      w().run(w().executables.at(number(exec)).nodes);
      return CUDA_SUCCESS;
    };
    c.upload = [](CUgraphExec exec, CUstream) {
      ++w().uploaded;
      return w().executables.contains(number(exec)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
    };
    c.wait_event = [](CUstream, CUevent, unsigned) { return CUDA_SUCCESS; };
    c.copy_to_host = [](void* to, CUdeviceptr from, std::size_t bytes, CUstream) {
      std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
      return CUDA_SUCCESS;
    };
    c.memory_info = [](std::size_t* free, std::size_t* total) {
      *free = w().free_memory;
      *total = std::size_t{1} << 41;
      return CUDA_SUCCESS;
    };
  }

  int last_ = 100;
};

}  // namespace adaptive::cuda::test
