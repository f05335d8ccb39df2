// Tests that kernels of replayed graphs find their launch through all copies of their node.
#include "cuda/cupti/graph_nodes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace adaptive::inline v1::cuda {
namespace {

std::uint64_t node(std::uint64_t graph, std::uint64_t index) {
  return graph << 32 | index;
}

// Keeps what it receives.
class Sink final : public GraphRecordSink {
 public:
  struct Received {
    std::uint64_t tag;
    std::uint32_t correlation;
    double ns;
    bool operator==(const Received&) const = default;
  };
  void replayed(std::uint64_t replay, std::uint32_t correlation) noexcept override {
    replays.emplace_back(replay, correlation);
  }
  void receive(std::uint64_t tag, std::uint32_t correlation, Latency latency) noexcept override {
    received.push_back({tag, correlation, latency.count()});
  }
  std::vector<Received> received;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> replays;
};

class CuptiGraphNodesTest : public testing::Test {
 protected:
  Sink sink_;
  CuptiGraphNodes nodes_;
};

TEST_F(CuptiGraphNodesTest, SumsTheNodesOfALaunchInEveryReplay) {
  const std::array captured = {node(1, 0), node(1, 1)};
  nodes_.add(captured, sink_, 1);
  for (const std::uint64_t one : captured) nodes_.cloned(one, one - node(1, 0) + node(2, 0));
  for (std::uint32_t replay = 5; replay < 8; ++replay) {
    nodes_.replayed(replay);
    nodes_.record(node(2, 0), replay, 100);
    nodes_.record(node(2, 7), replay, 9999);  // another launch's
    nodes_.record(node(2, 1), replay, 20);
  }
  EXPECT_EQ(sink_.received, (std::vector<Sink::Received>{{1, 5, 120.0}, {1, 6, 120.0}, {1, 7, 120.0}}));
  EXPECT_EQ(nodes_.counters().recorded, 3u);
}

TEST_F(CuptiGraphNodesTest, FollowsCopiesOfCopies) {
  const std::array captured = {node(1, 0)};
  nodes_.add(captured, sink_, 0);
  nodes_.cloned(node(1, 0), node(2, 0));
  nodes_.cloned(node(2, 0), node(3, 0));
  nodes_.cloned(node(9, 0), node(10, 0));
  nodes_.record(node(3, 0), 1, 50);
  nodes_.record(node(2, 0), 2, 50);
  nodes_.record(node(10, 0), 3, 50);
  EXPECT_EQ(sink_.received.size(), 2u);
}

TEST_F(CuptiGraphNodesTest, AReplayOfWhichARecordIsMissingDoesNotCount) {
  const std::array captured = {node(1, 0), node(1, 1)};
  nodes_.add(captured, sink_, 0);
  nodes_.record(node(1, 0), 1, 10);
  nodes_.record(node(1, 0), 2, 10);
  nodes_.record(node(1, 1), 2, 10);
  EXPECT_EQ(sink_.received, (std::vector<Sink::Received>{{0, 2, 20.0}}));
  EXPECT_EQ(nodes_.counters().partial, 1u);
}

TEST_F(CuptiGraphNodesTest, IdsOfGoneGraphsComeAgain) {
  const std::array captured = {node(1, 0), node(1, 1)};
  nodes_.add(captured, sink_, 0);
  for (int times = 0; times < 3; ++times) {  // instantiated, destroyed, instantiated under the same id
    nodes_.cloned(node(1, 0), node(2, 0));
    nodes_.cloned(node(1, 1), node(2, 1));
  }
  nodes_.record(node(2, 0), 1, 10);
  nodes_.record(node(2, 1), 1, 10);
  EXPECT_EQ(sink_.received.size(), 1u);
}

TEST_F(CuptiGraphNodesTest, NodesOfANewGraphAreNotThoseOfAnOldOneWithItsId) {
  const std::array captured = {node(1, 0)};
  Sink other;
  const auto old = nodes_.add(captured, sink_, 0);
  nodes_.cloned(node(1, 0), node(2, 0));
  nodes_.replayed(10);
  nodes_.remove(old);
  nodes_.add(captured, other, 1);
  nodes_.cloned(node(1, 0), node(2, 0));
  nodes_.record(node(2, 0), 10, 50);  // the old graph's replay, whose record is late
  EXPECT_TRUE(sink_.received.empty());
  EXPECT_TRUE(other.received.empty());
  EXPECT_EQ(nodes_.counters().stale, 1u);
  nodes_.replayed(11);
  nodes_.record(node(2, 0), 11, 50);
  EXPECT_EQ(other.received.size(), 1u);
}

TEST_F(CuptiGraphNodesTest, TellsTheCorrelationOfAReplayToItsSinkOnly) {
  nodes_.replayed(1);
  {
    const CuptiGraphNodes::Replay replay(sink_, 77);
    nodes_.replayed(2);
  }
  nodes_.replayed(3);
  EXPECT_EQ(sink_.replays, (std::vector<std::pair<std::uint64_t, std::uint32_t>>{{77, 2}}));
}

TEST_F(CuptiGraphNodesTest, IsExhaustedAfterAllItsRecords) {
  CuptiGraphNodes nodes(1'000);
  for (int i = 1; i < 1'000; ++i) nodes.record(node(9, 0), 1, 1);
  EXPECT_FALSE(nodes.exhausted());
  nodes.record(node(9, 0), 1, 1);
  EXPECT_TRUE(nodes.exhausted());
}

TEST_F(CuptiGraphNodesTest, ForgetsALaunchWithItsCopies) {
  const std::array captured = {node(1, 0)};
  const auto launch = nodes_.add(captured, sink_, 0);
  nodes_.cloned(node(1, 0), node(2, 0));
  EXPECT_FALSE(nodes_.empty());
  nodes_.remove(launch);
  EXPECT_TRUE(nodes_.empty());
  nodes_.record(node(2, 0), 1, 10);
  nodes_.remove(launch);
  EXPECT_TRUE(sink_.received.empty());
}

TEST_F(CuptiGraphNodesTest, ALaunchOfWhichACopyIsNotKnownHasNoLatency) {
  const std::array captured = {node(1, 0), node(1, 1)};
  Sink other;
  const std::array others = {node(9, 0)};
  nodes_.add(captured, sink_, 0);
  nodes_.add(others, other, 0);
  for (std::uint64_t graph = 10; graph < CuptiGraphNodes::nodes_max + 6; ++graph)
    nodes_.cloned(node(9, 0), node(graph, 0));
  ASSERT_EQ(nodes_.counters().nodes, CuptiGraphNodes::nodes_max - 1);
  nodes_.cloned(node(1, 0), node(2, 0));
  nodes_.cloned(node(1, 1), node(2, 1));  // for which there is no room
  nodes_.record(node(2, 0), 1, 10);
  nodes_.record(node(2, 1), 1, 10);
  EXPECT_TRUE(sink_.received.empty()) << "a sum without one of its kernels";
}

TEST_F(CuptiGraphNodesTest, IsBounded) {
  const std::array captured = {node(1, 0)};
  nodes_.add(captured, sink_, 0);
  for (std::uint64_t graph = 2; graph < CuptiGraphNodes::nodes_max + 10; ++graph)
    nodes_.cloned(node(1, 0), node(graph, 0));
  EXPECT_EQ(nodes_.counters().nodes, CuptiGraphNodes::nodes_max);
  EXPECT_GT(nodes_.counters().dropped, 0u);
}

}  // namespace
}  // namespace adaptive::cuda
