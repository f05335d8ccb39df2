// Tests that a latency from CUPTI reaches the replay to which it belongs, or none.
#include "cuda/graph/replay/records.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>

namespace adaptive::inline v1::cuda {
namespace {

using State = ReplayDriver::Reading::State;

class ReplayRecordsTest : public testing::Test {
 protected:
  void launch(ReplayDriver::Flight flight, ReplayDriver::Handle executable, std::uint32_t correlation) {
    constexpr std::array<std::size_t, 2> launches = {0, 3};
    records_.begin(flight, executable, launches);
    records_.replayed(flight, correlation);
  }
  void expect(ReplayDriver::Flight flight, std::size_t launch, double ns) const {
    const ReplayDriver::Reading reading = records_.latency(flight, launch);
    EXPECT_EQ(reading.state, State::here);
    EXPECT_EQ(reading.latency.count(), ns);
  }
  State state(ReplayDriver::Flight flight, std::size_t launch) const {
    return records_.latency(flight, launch).state;
  }

  ReplayRecords records_;
};

TEST_F(ReplayRecordsTest, ALatencyBelongsToTheReplayWithItsCorrelationId) {
  launch(1, 5, 100);
  launch(2, 5, 101);
  records_.receive(ReplayRecords::tag(5, 3), 101, Latency(70));
  records_.receive(ReplayRecords::tag(5, 0), 100, Latency(60));
  expect(2, 3, 70);
  expect(1, 0, 60);
  EXPECT_EQ(state(1, 3), State::pending);
  EXPECT_EQ(state(2, 0), State::pending);
  EXPECT_EQ(records_.stale(), 0u);
}

TEST_F(ReplayRecordsTest, ASecondLatencyIsStale) {
  launch(1, 5, 100);
  records_.receive(ReplayRecords::tag(5, 0), 100, Latency(60));
  records_.receive(ReplayRecords::tag(5, 0), 100, Latency(90));
  expect(1, 0, 60);
  EXPECT_EQ(records_.stale(), 1u);
}

TEST_F(ReplayRecordsTest, ALatencyOfAReleasedReplayIsStale) {
  launch(1, 5, 100);
  records_.release(1);
  records_.receive(ReplayRecords::tag(5, 0), 100, Latency(60));
  EXPECT_EQ(state(1, 0), State::never);
  EXPECT_EQ(records_.stale(), 1u);
}

TEST_F(ReplayRecordsTest, ALatencyOfAnotherExecutableIsStale) {
  launch(1, 5, 100);
  records_.receive(ReplayRecords::tag(4, 0), 100, Latency(60));
  EXPECT_EQ(state(1, 0), State::pending);
  EXPECT_EQ(records_.stale(), 1u);
}

TEST_F(ReplayRecordsTest, ALaunchThatWasNotExpectedIsStale) {
  launch(1, 5, 100);
  records_.receive(ReplayRecords::tag(5, 1), 100, Latency(60));
  EXPECT_EQ(state(1, 1), State::never);
  EXPECT_EQ(records_.stale(), 1u);
}

TEST_F(ReplayRecordsTest, AReplayThatCuptiDidNotReportHasNoLatencies) {
  constexpr std::array<std::size_t, 1> launches = {0};
  records_.begin(1, 5, launches);
  records_.receive(ReplayRecords::tag(5, 0), 0, Latency(60));
  EXPECT_EQ(state(1, 0), State::never);
  EXPECT_EQ(records_.stale(), 1u);
}

// The records of a graph of two launches, whose executable is replayed with one variant and then with
// another.
TEST_F(ReplayRecordsTest, NodesOfAnExecutableFindTheirReplayAcrossUpdates) {
  const auto node = [](std::uint64_t graph, std::uint64_t index) { return graph << 32 | index; };
  CuptiGraphNodes nodes;
  const std::array first = {node(1, 0), node(1, 1)};
  const std::array second = {node(1, 2)};
  nodes.add(first, records_, ReplayRecords::tag(5, 0));
  nodes.add(second, records_, ReplayRecords::tag(5, 3));
  for (std::uint64_t i = 0; i < 3; ++i) nodes.cloned(node(1, i), node(2, i));
  constexpr std::array<std::size_t, 2> launches = {0, 3};
  for (const std::uint32_t flight : {1u, 2u}) {
    records_.begin(flight, 5, launches);
    const CuptiGraphNodes::Replay replay(records_, flight);
    nodes.replayed(1000 + flight);
  }
  for (const std::uint32_t flight : {1u, 2u})
    for (std::uint64_t i = 0; i < 3; ++i) nodes.record(node(2, i), 1000 + flight, 10 * flight);
  expect(1, 0, 20);
  expect(1, 3, 10);
  expect(2, 0, 40);
  expect(2, 3, 20);
  // The same graph launched by the program itself: nobody waits for its records.
  nodes.replayed(2000);
  nodes.record(node(2, 2), 2000, 10);
  EXPECT_EQ(records_.stale(), 1u);
}

// Records are delivered by a thread of CUPTI while the program replays, reads and gives up.
TEST_F(ReplayRecordsTest, RecordsComeOnAnotherThread) {
  constexpr std::uint32_t replays = 2000;
  CuptiGraphNodes nodes;
  const std::array captured = {std::uint64_t{1} << 32};
  const auto handle = nodes.add(captured, records_, ReplayRecords::tag(5, 0));
  std::atomic<std::uint32_t> launched{0};
  std::thread cupti([&] {
    for (std::uint32_t replay = 1; replay <= replays; ++replay) {
      while (launched.load() < replay) std::this_thread::yield();
      nodes.record(captured[0], replay, 1000 + replay);
    }
  });
  constexpr std::array<std::size_t, 1> launches = {0};
  for (std::uint32_t replay = 1; replay <= replays; ++replay) {
    records_.begin(replay, 5, launches);
    {
      const CuptiGraphNodes::Replay scope(records_, replay);
      nodes.replayed(replay);
    }
    launched = replay;
    if (replay % 10 == 0) {
      records_.release(replay);  // given up: its latency is stale if it comes later
      continue;
    }
    while (state(replay, 0) == State::pending) std::this_thread::yield();
    expect(replay, 0, 1000 + replay);
    records_.release(replay);
  }
  cupti.join();
  nodes.remove(handle);
  EXPECT_LE(records_.stale(), replays / 10);
}

}  // namespace
}  // namespace adaptive::cuda
