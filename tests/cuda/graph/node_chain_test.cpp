// Tests which nodes a launch has added, and the state of an executable graph after CUDA has refused a change.
// Uses a driver made of a few tables, because a real one seldom refuses.
#include "cuda/graph/node_chain.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace adaptive::inline v1::cuda {
namespace {

struct FakeNode {
  CUgraphNodeType type = CU_GRAPH_NODE_TYPE_KERNEL;
  std::vector<int> behind = {};
  bool lossy = false;
  unsigned char edge = 0;  // the type of the edges into the node
  unsigned params = 0;     // the grid of a kernel, the value of a memset
};

std::map<int, FakeNode> nodes;
std::map<int, unsigned> executable;  // what each node of it runs
std::vector<int> stream_at;
std::set<std::pair<int, unsigned>> refused;  // setting that node to that
int sets = 0;

CUgraphNode handle(int node) {
  return reinterpret_cast<CUgraphNode>(static_cast<std::uintptr_t>(node));
}
int node_of(CUgraphNode node) {
  return static_cast<int>(reinterpret_cast<std::uintptr_t>(node));
}

std::vector<CUgraphNode> buffer;

CUresult capture_info(CUstream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
                      const CUgraphNode** dependencies, std::size_t* count) {
  *status = CU_STREAM_CAPTURE_STATUS_ACTIVE;
  *id = 7;
  *graph = reinterpret_cast<CUgraph>(std::uintptr_t{1});
  buffer.clear();
  for (const int node : stream_at) buffer.push_back(handle(node));
  *dependencies = buffer.data();
  *count = buffer.size();
  return CUDA_SUCCESS;
}

CUresult graph_nodes(CUgraph, CUgraphNode* out, std::size_t* count) {
  *count = nodes.size();
  if (out != nullptr)
    for (const auto& node : nodes) *out++ = handle(node.first);
  return CUDA_SUCCESS;
}

CUresult node_type(CUgraphNode node, CUgraphNodeType* type) {
  *type = nodes.at(node_of(node)).type;
  return CUDA_SUCCESS;
}

CUresult node_dependencies(CUgraphNode node, CUgraphNode* out, std::size_t* count) {
  const FakeNode& n = nodes.at(node_of(node));
  if (n.lossy) return lossy_query;
  *count = n.behind.size();
  if (out != nullptr)
    for (const int b : n.behind) *out++ = handle(b);
  return CUDA_SUCCESS;
}

CUresult edges_into(CUgraphNode node, CUgraphNode* out, EdgeData* edges, std::size_t* count) {
  const FakeNode& n = nodes.at(node_of(node));
  *count = n.behind.size();
  if (out == nullptr) return CUDA_SUCCESS;
  for (const int b : n.behind) {
    *out++ = handle(b);
    *edges++ = {.type = n.edge};
  }
  return CUDA_SUCCESS;
}

CUresult set(CUgraphNode node, unsigned params) {
  ++sets;
  if (refused.contains({node_of(node), params})) return CUDA_ERROR_INVALID_VALUE;
  executable[node_of(node)] = params;
  return CUDA_SUCCESS;
}

CUresult kernel_params(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v2* params) {
  params->gridDimX = nodes.at(node_of(node)).params;
  return CUDA_SUCCESS;
}
CUresult set_kernel(CUgraphExec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2* params) {
  return set(node, params->gridDimX);
}
CUresult memset_params(CUgraphNode node, CUDA_MEMSET_NODE_PARAMS_v1* params) {
  params->value = nodes.at(node_of(node)).params;
  return CUDA_SUCCESS;
}
CUresult set_memset(CUgraphExec, CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS_v1* params, CUcontext) {
  return set(node, params->value);
}
CUresult kernel_attribute(CUgraphNode, CUlaunchAttributeID, CUlaunchAttributeValue*) {
  return CUDA_SUCCESS;
}

class NodeChain : public testing::Test {
 protected:
  NodeChain() {
    nodes.clear();
    executable.clear();
    stream_at.clear();
    refused.clear();
    sets = 0;
    std::memset(&graphs, 0, sizeof graphs);
    std::memset(&driver, 0, sizeof driver);
    graphs.capture_info = capture_info;
    graphs.graph_nodes = graph_nodes;
    graphs.node_type = node_type;
    graphs.node_dependencies = node_dependencies;
    graphs.kernel_params = kernel_params;
    graphs.set_kernel = set_kernel;
    graphs.memset_params = memset_params;
    graphs.set_memset = set_memset;
    graphs.kernel_attribute = kernel_attribute;
    driver.ctx_push = [](CUcontext) { return CUDA_SUCCESS; };
    driver.ctx_pop = [](CUcontext*) { return CUDA_SUCCESS; };
  }

  CapturePoint here() const { return CapturePoint::of(graphs, nullptr); }
  /// The next node of the stream.
  void enqueue(int node, FakeNode fake = {}) {
    fake.behind = stream_at;
    nodes[node] = fake;
    stream_at = {node};
  }

  GraphDriver graphs;
  Driver driver;
};

TEST_F(NodeChain, IsWhatTheStreamGained) {
  enqueue(1);
  const CapturePoint before = here();
  enqueue(2);
  enqueue(3, {.type = CU_GRAPH_NODE_TYPE_MEMSET});
  EXPECT_EQ(chain_between(graphs, before, here()), (Nodes{handle(2), handle(3)}));
}

TEST_F(NodeChain, MayBeEmpty) {
  enqueue(1);
  EXPECT_EQ(chain_between(graphs, here(), here()), Nodes{});
}

TEST_F(NodeChain, BeginsTheGraph) {
  const CapturePoint before = here();
  enqueue(1);
  EXPECT_EQ(chain_between(graphs, before, here()), Nodes{handle(1)});
}

TEST_F(NodeChain, BeginsBehindAJoin) {
  nodes = {{1, {}}, {2, {}}};
  stream_at = {2, 1};
  const CapturePoint before = here();
  enqueue(3);
  nodes[3].behind = {1, 2};
  EXPECT_EQ(chain_between(graphs, before, here()), Nodes{handle(3)});
}

TEST_F(NodeChain, IsNoneWhereTheBodyForked) {
  enqueue(1);
  const CapturePoint before = here();
  nodes[2].behind = nodes[3].behind = {1};
  stream_at = {2, 3};
  EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
  enqueue(4);
  EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
}

TEST_F(NodeChain, IsNoneWhereWorkWasLeftElsewhere) {
  enqueue(1);
  const CapturePoint before = here();
  enqueue(2);
  nodes[3].behind = {1};  // on a stream that was not joined again
  EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
}

// Only the list of all nodes shows that the first node of this walk is old.
TEST_F(NodeChain, IsNoneWhereAnEarlierBranchWasJoined) {
  nodes[1] = {};
  const CapturePoint before = here();  // a second stream, forked before the first node
  stream_at = {1};
  enqueue(2);
  nodes[3] = {};
  EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
}

TEST_F(NodeChain, IsNoneWhereNothingWasAddedButAWait) {
  enqueue(1);
  nodes[2] = {};
  const CapturePoint before = here();
  stream_at = {1, 2};
  EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
}

TEST_F(NodeChain, IsNoneWithADependentLaunchOrAnotherKind) {
  enqueue(1);
  const CapturePoint before = here();
  enqueue(2, {.lossy = true});
  EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
  nodes[2].lossy = false;
  EXPECT_TRUE(chain_between(graphs, before, here()).has_value());
  for (const CUgraphNodeType type :
       {CU_GRAPH_NODE_TYPE_HOST, CU_GRAPH_NODE_TYPE_MEM_ALLOC, CU_GRAPH_NODE_TYPE_GRAPH}) {
    nodes[2].type = type;
    EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
  }
}

// The second kernel of a launch need not wait for the end of the first one.
TEST_F(NodeChain, MayHaveADependentLaunchWithinButNotAtItsBegin) {
  graphs.edges_into = edges_into;
  enqueue(1);
  const CapturePoint before = here();
  enqueue(2);
  enqueue(3, {.edge = 1});
  EXPECT_EQ(chain_between(graphs, before, here()), (Nodes{handle(2), handle(3)}));
  nodes[2].edge = 1;
  EXPECT_EQ(chain_between(graphs, before, here()), std::nullopt);
}

TEST_F(NodeChain, FitsOneOfTheSameEdges) {
  graphs.edges_into = edges_into;
  nodes = {{1, {}}, {2, {.behind = {1}, .edge = 1}}, {3, {}}, {4, {.behind = {3}, .edge = 1}}};
  EXPECT_TRUE(interchangeable(graphs, {handle(1), handle(2)}, {handle(3), handle(4)}));
  nodes[4].edge = 0;
  EXPECT_FALSE(interchangeable(graphs, {handle(1), handle(2)}, {handle(3), handle(4)}));
}

TEST_F(NodeChain, FitsOneOfTheSameKinds) {
  nodes = {{1, {}},
           {2, {.type = CU_GRAPH_NODE_TYPE_MEMSET, .behind = {1}}},
           {3, {}},
           {4, {.type = CU_GRAPH_NODE_TYPE_MEMSET, .behind = {3}}}};
  EXPECT_TRUE(interchangeable(graphs, {handle(1), handle(2)}, {handle(3), handle(4)}));
  EXPECT_FALSE(interchangeable(graphs, {handle(1), handle(2)}, {handle(2), handle(1)}));
  EXPECT_FALSE(interchangeable(graphs, {handle(1)}, {handle(1), handle(3)}));
  EXPECT_TRUE(interchangeable(graphs, {}, {}));
}

// Nodes 1 to 3 shall become 11 to 13; the second is a memset.
class Assign : public NodeChain {
 protected:
  Assign() {
    nodes = {{1, {.params = 101}},  {2, {.type = CU_GRAPH_NODE_TYPE_MEMSET, .params = 102}},
             {3, {.params = 103}},  {11, {.params = 111}},
             {13, {.params = 113}}, {12, {.type = CU_GRAPH_NODE_TYPE_MEMSET, .params = 112}}};
    executable = before;
    for (int n = 1; n <= 3; ++n)
      assignments.push_back(
          {.node = handle(n), .present = handle(n), .wanted = handle(10 + n), .context = nullptr});
  }
  Assigned run() { return assign(driver, graphs, nullptr, assignments); }

  const std::map<int, unsigned> before{{1, 101}, {2, 102}, {3, 103}};
  std::vector<Assignment> assignments;
};

TEST_F(Assign, SetsAll) {
  EXPECT_EQ(run(), Assigned::all);
  EXPECT_EQ(executable, (std::map<int, unsigned>{{1, 111}, {2, 112}, {3, 113}}));
}

TEST_F(Assign, TakesBackWhatWentBeforeARefusal) {
  refused = {{3, 113}};
  EXPECT_EQ(run(), Assigned::none);
  EXPECT_EQ(executable, before);
  EXPECT_EQ(sets, 5);
}

TEST_F(Assign, TakesBackToWhatTheLastUpdateSet) {
  nodes[21] = {.params = 121};
  executable[1] = 121;
  assignments[0].present = handle(21);
  refused = {{2, 112}};
  EXPECT_EQ(run(), Assigned::none);
  EXPECT_EQ(executable, (std::map<int, unsigned>{{1, 121}, {2, 102}, {3, 103}}));
}

TEST_F(Assign, HasNothingToTakeBackAtTheFirst) {
  refused = {{1, 111}};
  EXPECT_EQ(run(), Assigned::none);
  EXPECT_EQ(sets, 1);
}

TEST_F(Assign, SaysWhereItCannotTakeBack) {
  refused = {{3, 113}, {1, 101}};
  EXPECT_EQ(run(), Assigned::some);
}

TEST_F(Assign, LeavesAMemsetAloneThatDoesNotChange) {
  nodes[12].params = 102;
  refused = {{2, 102}};
  EXPECT_EQ(run(), Assigned::all);
  EXPECT_EQ(executable, (std::map<int, unsigned>{{1, 111}, {2, 102}, {3, 113}}));
}

}  // namespace
}  // namespace adaptive::cuda
