// Tests that kernels of replayed graphs find their launch through all copies of their node.
#include "cuda/cupti/graph_nodes.hpp"

#include <gtest/gtest.h>

#include <array>

#include <adaptive/adaptive.hpp>

namespace adaptive::inline v1::cuda {
namespace {

std::uint64_t node(std::uint64_t graph, std::uint64_t index) {
  return graph << 32 | index;
}

class CuptiGraphNodesTest : public testing::Test {
 protected:
  std::uint64_t count(std::uint32_t variant) const {
    return operation_.explain({8}).candidates.at(variant).count;
  }
  double mean(std::uint32_t variant) const { return operation_.explain({8}).candidates.at(variant).mean_ns; }

  Selector selector_{SelectorOptions{.use_environment = false}};
  Operation& operation_ =
      selector_.define({.name = "op", .dimensions = {{"m"}}, .variants = {{.name = "a"}, {.name = "b"}}});
  CuptiGraphNodes nodes_;
};

TEST_F(CuptiGraphNodesTest, SumsTheNodesOfALaunchInEveryReplay) {
  const std::array captured = {node(1, 0), node(1, 1)};
  nodes_.add(captured, operation_, {8}, 1);
  for (const std::uint64_t one : captured) nodes_.cloned(one, one - node(1, 0) + node(2, 0));
  for (std::uint32_t replay = 5; replay < 8; ++replay) {
    nodes_.replayed(replay);
    nodes_.record(node(2, 0), replay, 100);
    nodes_.record(node(2, 7), replay, 9999);  // another launch's
    nodes_.record(node(2, 1), replay, 20);
  }
  EXPECT_EQ(count(1), 3u);
  EXPECT_EQ(count(0), 0u);
  EXPECT_DOUBLE_EQ(mean(1), 120);
  EXPECT_EQ(nodes_.counters().recorded, 3u);
}

TEST_F(CuptiGraphNodesTest, FollowsCopiesOfCopies) {
  const std::array captured = {node(1, 0)};
  nodes_.add(captured, operation_, {8}, 0);
  nodes_.cloned(node(1, 0), node(2, 0));
  nodes_.cloned(node(2, 0), node(3, 0));
  nodes_.cloned(node(9, 0), node(10, 0));
  nodes_.record(node(3, 0), 1, 50);
  nodes_.record(node(2, 0), 2, 50);
  nodes_.record(node(10, 0), 3, 50);
  EXPECT_EQ(count(0), 2u);
}

TEST_F(CuptiGraphNodesTest, AReplayOfWhichARecordIsMissingDoesNotCount) {
  const std::array captured = {node(1, 0), node(1, 1)};
  nodes_.add(captured, operation_, {8}, 0);
  nodes_.record(node(1, 0), 1, 10);
  nodes_.record(node(1, 0), 2, 10);
  nodes_.record(node(1, 1), 2, 10);
  EXPECT_EQ(count(0), 1u);
  EXPECT_DOUBLE_EQ(mean(0), 20);
  EXPECT_EQ(nodes_.counters().partial, 1u);
}

TEST_F(CuptiGraphNodesTest, IdsOfGoneGraphsComeAgain) {
  const std::array captured = {node(1, 0), node(1, 1)};
  nodes_.add(captured, operation_, {8}, 0);
  for (int times = 0; times < 3; ++times) {  // instantiated, destroyed, instantiated under the same id
    nodes_.cloned(node(1, 0), node(2, 0));
    nodes_.cloned(node(1, 1), node(2, 1));
  }
  nodes_.record(node(2, 0), 1, 10);
  nodes_.record(node(2, 1), 1, 10);
  EXPECT_EQ(count(0), 1u);
}

TEST_F(CuptiGraphNodesTest, ForgetsALaunchWithItsCopies) {
  const std::array captured = {node(1, 0)};
  const auto launch = nodes_.add(captured, operation_, {8}, 0);
  nodes_.cloned(node(1, 0), node(2, 0));
  EXPECT_FALSE(nodes_.empty());
  nodes_.remove(launch);
  EXPECT_TRUE(nodes_.empty());
  nodes_.record(node(2, 0), 1, 10);
  nodes_.remove(launch);
  EXPECT_EQ(count(0), 0u);
}

TEST_F(CuptiGraphNodesTest, IsBounded) {
  const std::array captured = {node(1, 0)};
  nodes_.add(captured, operation_, {8}, 0);
  for (std::uint64_t graph = 2; graph < CuptiGraphNodes::nodes_max + 10; ++graph)
    nodes_.cloned(node(1, 0), node(graph, 0));
  EXPECT_EQ(nodes_.counters().nodes, CuptiGraphNodes::nodes_max);
  EXPECT_GT(nodes_.counters().dropped, 0u);
}

}  // namespace
}  // namespace adaptive::cuda
