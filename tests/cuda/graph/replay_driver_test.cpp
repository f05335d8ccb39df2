// Tests the executables of learning under replay with a driver made of tables: which kernels they run, in
// which order, and which of them are timed.
#include "cuda/graph/replay/cuda_driver.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "cuda/graph/replay/learner.hpp"
#include "tests/cuda/graph/world.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda {
namespace {

using test::GraphWorld;
using Form = ReplayDriver::Form;
using Making = ReplayDriver::Making;
using Setting = ReplayDriver::Setting;

// The times of the events are taken as they are, because nothing has measured what they cost.
class UnmeasuredDriver final : public CudaReplayDriver {
 public:
  using CudaReplayDriver::CudaReplayDriver;
  Timing timing() noexcept override { return Timing::possible; }
};

// Kernel 100 * (launch + 1) + variant; variant 2 has a cluster, variant 3 has two kernels, variant 4 has two
// branches, variant 5 fails, variant 6 throws.
class ReplayDriverTest : public testing::Test, public ReplayClient {
 protected:
  static constexpr unsigned own_kernel = 7;
  static SelectorOptions quiet(SelectorOptions options) {
    options.log = [](LogLevel, std::string_view) {};
    return options;
  }
  static CUcontext context() { return GraphWorld::handle<CUcontext>(3); }

  CuptiSession* cupti_session() noexcept override { return nullptr; }
  void give_replayed(Operation& operation, const Decision& decision, Latency latency) noexcept override {
    given.emplace_back(decision.variant(), latency.count());
    operation.record(decision, latency);
  }
  void tell(LogLevel, std::string_view line) noexcept override { told.emplace_back(line); }

  cudaError_t body(std::size_t launch, std::uint32_t variant, CUstream stream) {
    ++bodies;
    const unsigned kernel = 100 * static_cast<unsigned>(launch + 1) + variant;
    if (variant == 5) return cudaErrorInvalidValue;
    if (variant == 6) throw 6;
    world.enqueue(stream, {.params = kernel, .cluster = variant == 2 ? 2u : 1u});
    if (variant == 3) world.enqueue(stream, {.type = CU_GRAPH_NODE_TYPE_MEMSET, .params = kernel + 50});
    if (variant == 4) {
      // Two kernels behind the first, and one behind both.
      GraphWorld::Stream& s = world.streams.at(GraphWorld::number(stream));
      const int one = world.add(s.graph, {.params = kernel + 10, .behind = s.at});
      const int other = world.add(s.graph, {.params = kernel + 20, .behind = s.at});
      s.at = {one, other};
      world.enqueue(stream, {.params = kernel + 30});
    }
    if (dependent) world.enqueue(stream, {.params = kernel + 60, .edge = 1});
    return cudaSuccess;
  }

  // Of the graph and the launches that have been captured.
  void make_driver(std::size_t free_memory_min) {
    driver = std::make_unique<UnmeasuredDriver>(
        CudaReplayDriver::Parts{.driver = world.driver,
                                .graphs = world.graph_driver,
                                .copies = world.copy_driver,
                                .launches = tracked,
                                .graph = graph,
                                .context = context(),
                                .flags = 0,
                                .pool = EventPool::of(world.driver, context()),
                                .client = this,
                                .free_memory_min = free_memory_min,
                                .has_runtime = false,
                                .has_builder = has_builder,
                                .stamps = stamps});
  }

  // Captures a graph: a kernel of the program, then launches, with another one between each.
  void capture(std::size_t launches) {
    const CUstream stream = world.stream();
    world.graph_driver.begin_capture(stream, CU_STREAM_CAPTURE_MODE_RELAXED);
    world.enqueue(stream, {.params = own_kernel});
    for (std::size_t i = 0; i < launches; ++i) {
      const CapturePoint before = CapturePoint::of(world.graph_driver, stream);
      ASSERT_EQ(body(i, 0, stream), cudaSuccess);
      TrackedLaunch launch{.operation = op,
                           .key = {static_cast<std::int64_t>(i) + 1},
                           .body = [this, i](std::uint32_t v, cudaStream_t s) { return body(i, v, s); },
                           .context = context(),
                           .variant = 0,
                           .captured = 0,
                           .graph = before.graph};
      launch.nodes = chain_between(world.graph_driver, before, CapturePoint::of(world.graph_driver, stream));
      ASSERT_TRUE(launch.nodes);
      for (CUgraphNode node : *launch.nodes) world.nodes.at(GraphWorld::number(node)).priority = -2;
      tracked.push_back(launch);
      world.enqueue(stream, {.params = own_kernel});
    }
    world.graph_driver.end_capture(stream, &graph);
    make_driver(1000);
  }

  ReplayDriver::Handle make(std::vector<std::uint32_t> variants, std::vector<std::size_t> timed = {}) {
    for (std::size_t i = 0; i < variants.size(); ++i) driver->form(i, variants[i]);
    const ReplayDriver::Made made = driver->make(variants, timed);
    EXPECT_EQ(made.result, Making::made);
    return made.handle;
  }
  std::vector<unsigned> launched(ReplayDriver::Handle executable, ReplayDriver::Flight flight = 0) {
    EXPECT_TRUE(driver->launch(executable, flight, nullptr));
    return world.ran;
  }
  double us(ReplayDriver::Flight flight, std::size_t launch) {
    const ReplayDriver::Reading reading = driver->latency(flight, launch);
    EXPECT_EQ(reading.state, ReplayDriver::Reading::State::here);
    return reading.latency.count() / 1e3;
  }

  // From now on, kernels note the time.
  void use_stamps() {
    world.stamp_kernel = 77;
    on_device.resize(GraphStamps::blocks * GraphStamps::pairs);
    on_host.resize(on_device.size());
    owned_stamps = std::make_unique<GraphStamps>(
        GraphWorld::handle<CUfunction>(77), reinterpret_cast<CUdeviceptr>(on_device.data()), on_host.data());
    stamps = owned_stamps.get();
  }
  std::size_t free_blocks() {
    std::vector<std::uint32_t> taken;
    for (std::uint32_t block = 0; block != GraphStamps::none;) {
      block = stamps->acquire(world.driver);
      if (block != GraphStamps::none) taken.push_back(block);
    }
    for (const std::uint32_t block : taken) stamps->release(block);
    return taken.size();
  }

  GraphWorld world;
  std::vector<GraphStamps::Pair> on_device;
  std::vector<GraphStamps::Pair> on_host;
  std::unique_ptr<GraphStamps> owned_stamps;
  GraphStamps* stamps = nullptr;  // null: events
  bool has_builder = false;
  Selector selector{quiet(adaptive::test::options_with<adaptive::test::RoundRobin>())};
  Operation* op = &selector.define(adaptive::test::operation({"a", "b", "c", "d", "e", "f", "g"}));
  std::vector<TrackedLaunch> tracked;
  CUgraph graph = nullptr;
  std::unique_ptr<UnmeasuredDriver> driver;
  std::vector<std::pair<std::uint32_t, double>> given;
  std::vector<std::string> told;
  int bodies = 0;
  bool dependent = false;  // whether launches end with a dependent kernel
};

TEST_F(ReplayDriverTest, ACopyRunsWhatWasCaptured) {
  capture(2);
  EXPECT_EQ(launched(make({0, 0})), (std::vector<unsigned>{7, 100, 7, 200, 7}));
}

TEST_F(ReplayDriverTest, VariantsWithTheSameNodesAreSet) {
  capture(2);
  const auto executable = make({0, 1});
  EXPECT_EQ(launched(executable), (std::vector<unsigned>{7, 100, 7, 201, 7}));
  const std::vector<ReplayDriver::Change> changes = {{0, 0, 1}, {1, 1, 0}};
  EXPECT_EQ(driver->set(executable, changes).result, Setting::done);
  EXPECT_EQ(launched(executable), (std::vector<unsigned>{7, 101, 7, 200, 7}));
  EXPECT_EQ(world.instantiated, 1);
}

TEST_F(ReplayDriverTest, FormsAreTheKindsOfNodes) {
  capture(2);
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t v = 0; v < 5; ++v) {
    const Form form = driver->form(1, v);
    EXPECT_EQ(form.kind, Form::Kind::known) << v;
    numbers.push_back(form.number);
  }
  EXPECT_EQ(numbers, (std::vector<std::uint32_t>{0, 0, 1, 2, 3}));
  const int before = bodies;
  EXPECT_EQ(driver->form(1, 3).number, 2u);
  EXPECT_EQ(bodies, before) << "a variant is captured once";
  EXPECT_EQ(driver->form(1, 5).kind, Form::Kind::failed);
  EXPECT_EQ(driver->form(1, 6).kind, Form::Kind::failed);
}

TEST_F(ReplayDriverTest, OtherNodesTakeThePlaceOfTheCaptured) {
  capture(3);
  EXPECT_EQ(launched(make({0, 2, 0})), (std::vector<unsigned>{7, 100, 7, 202, 7, 300, 7}));
  EXPECT_EQ(launched(make({3, 0, 3})), (std::vector<unsigned>{7, 103, 153, 7, 200, 7, 303, 353, 7}));
  EXPECT_EQ(launched(make({0, 4, 0})), (std::vector<unsigned>{7, 100, 7, 204, 214, 224, 234, 7, 300, 7}));
}

TEST_F(ReplayDriverTest, AnOtherClusterKeepsThePriorityOfTheCapture) {
  capture(1);
  const auto executable = make({2});
  ASSERT_NE(executable, 0u);
  bool found = false;
  for (const auto& [id, one] : world.executables)
    for (const auto& [node, of] : one.nodes)
      if (of.params == 102) {
        found = true;
        EXPECT_EQ(of.cluster, 2u);
        EXPECT_EQ(of.priority, -2);
      }
  EXPECT_TRUE(found);
}

TEST_F(ReplayDriverTest, EventsEncloseTheNodesOfALaunch) {
  capture(3);
  const auto executable = make({0, 3, 1}, {0, 1, 2});
  launched(executable, 1);
  EXPECT_TRUE(driver->finished(1));
  EXPECT_NEAR(us(1, 0), 100.0, 1e-3);
  EXPECT_NEAR(us(1, 1), 203.0 + 253.0, 1e-3);
  EXPECT_NEAR(us(1, 2), 301.0, 1e-3);
  driver->release(1);
}

TEST_F(ReplayDriverTest, StampsEncloseTheNodesOfALaunch) {
  use_stamps();
  capture(3);
  const std::vector<std::uint32_t> variants = {0, 3, 1};
  for (std::size_t i = 0; i < variants.size(); ++i) driver->form(i, variants[i]);
  const ReplayDriver::Made made = driver->make(variants, std::vector<std::size_t>{0, 1, 2});
  ASSERT_EQ(made.result, Making::made);
  EXPECT_TRUE(made.times_first);
  EXPECT_EQ(launched(made.handle, 1), (std::vector<unsigned>{7, 100, 7, 203, 253, 7, 301, 7}));
  EXPECT_TRUE(driver->finished(1));
  EXPECT_NEAR(us(1, 0), 100.0, 1e-3);
  EXPECT_NEAR(us(1, 1), 203.0 + 253.0, 1e-3);
  EXPECT_NEAR(us(1, 2), 301.0, 1e-3);
  driver->release(1);
  EXPECT_EQ(world.uploaded, 1);
}

TEST_F(ReplayDriverTest, StampsHaveThePriorityOfTheCapture) {
  use_stamps();
  capture(1);
  make({0}, {0});
  std::size_t found = 0;
  for (const auto& [node, of] : world.executables.begin()->second.nodes) {
    if (of.stamp == 0) continue;
    ++found;
    EXPECT_EQ(of.priority, -2);
  }
  EXPECT_EQ(found, 2u);
}

TEST_F(ReplayDriverTest, MoreLaunchesThanABlockHasPairs) {
  use_stamps();
  constexpr std::size_t launches = GraphStamps::pairs + 3;
  capture(launches);
  std::vector<std::size_t> timed;
  for (std::size_t i = 0; i < launches; ++i) timed.push_back(i);
  const auto executable = make(std::vector<std::uint32_t>(launches, 0), timed);
  launched(executable, 1);
  for (std::size_t i = 0; i < launches; ++i)
    EXPECT_NEAR(us(1, i), 100.0 * static_cast<double>(i + 1), 1e-3) << i;
  driver->release(1);
  EXPECT_EQ(free_blocks(), GraphStamps::blocks - 2);
}

TEST_F(ReplayDriverTest, BlocksOfStampsComeBackOnceTheReplaysHaveEnded) {
  use_stamps();
  capture(1);
  const auto idle = make({0}, {0});
  driver->destroy(idle);
  EXPECT_EQ(free_blocks(), GraphStamps::blocks) << "it was never launched";
  const auto flying = make({0}, {0});
  launched(flying, 1);
  world.holds_events = true;
  driver->destroy(flying);
  EXPECT_EQ(free_blocks(), GraphStamps::blocks - 1) << "its kernels may still write";
  world.holds_events = false;
  EXPECT_EQ(free_blocks(), GraphStamps::blocks);
  driver->release(1);
  driver.reset();
  EXPECT_EQ(world.events_alive(), 0u);
}

TEST_F(ReplayDriverTest, WithoutABlockNothingIsMade) {
  use_stamps();
  capture(1);
  while (stamps->acquire(world.driver) != GraphStamps::none) {
  }
  const std::vector<std::uint32_t> variants = {0};
  EXPECT_EQ(driver->make(variants, std::vector<std::size_t>{0}).result, Making::refused);
  EXPECT_EQ(driver->make(variants, {}).result, Making::made) << "what is not timed needs none";
  EXPECT_EQ(world.events_alive(), 1u);
}

// While the builder works, the test does not touch the world, which is for one thread at a time.
TEST_F(ReplayDriverTest, AnotherThreadMakesWhatIsBegun) {
  has_builder = true;
  use_stamps();
  capture(2);
  for (const std::uint32_t v : {0u, 3u}) driver->form(1, v);
  driver->form(0, 1);
  const auto outcome = [&](ReplayDriver::Handle executable) {
    Making now = Making::begun;
    while (now == Making::begun) now = driver->outcome(executable);
    return now;
  };
  const std::vector<std::uint32_t> variants = {1, 3};
  const ReplayDriver::Made one = driver->begin(variants, std::vector<std::size_t>{1});
  ASSERT_EQ(one.result, Making::begun);
  EXPECT_TRUE(one.times_first);
  ASSERT_EQ(outcome(one.handle), Making::made);
  EXPECT_EQ(launched(one.handle, 1), (std::vector<unsigned>{7, 101, 7, 203, 253, 7}));
  EXPECT_NEAR(us(1, 1), 203.0 + 253.0, 1e-3);
  driver->release(1);
  EXPECT_EQ(world.uploaded, 1);

  world.copy_driver.instantiate = [](CUgraphExec*, CUgraph, unsigned long long) {
    return CUDA_ERROR_UNKNOWN;
  };
  const ReplayDriver::Made refused = driver->begin(variants, {});
  ASSERT_EQ(refused.result, Making::begun);
  EXPECT_EQ(outcome(refused.handle), Making::refused);
  driver->destroy(refused.handle);
  const ReplayDriver::Made given_up = driver->begin(variants, {});
  driver->destroy(given_up.handle);
  EXPECT_EQ(world.executables.size(), 1u);
}

TEST_F(ReplayDriverTest, EventsThatAreNeverTimedEndTheTiming) {
  capture(1);
  const auto executable = make({0}, {0});
  world.driver.event_elapsed_ms = [](float*, CUevent, CUevent) { return CUDA_ERROR_INVALID_HANDLE; };
  for (ReplayDriver::Flight flight = 1; flight <= 64; ++flight) {
    EXPECT_EQ(told.size(), 0u);
    launched(executable, flight);
    EXPECT_EQ(driver->latency(flight, 0).state, ReplayDriver::Reading::State::never);
    driver->release(flight);
  }
  EXPECT_EQ(told.size(), 1u);
  EXPECT_EQ(driver->CudaReplayDriver::timing(), ReplayDriver::Timing::never);
}

TEST_F(ReplayDriverTest, AWholeGraphIsTimedToo) {
  capture(2);
  const auto executable = make({0, 4}, {1});
  launched(executable, 1);
  EXPECT_NEAR(us(1, 1), 204.0 + 214.0 + 224.0 + 234.0, 1e-3);
  driver->release(1);
}

TEST_F(ReplayDriverTest, NeighboursMayBothBeTimed) {
  // Two launches without a kernel of the program between them.
  const CUstream stream = world.stream();
  capture(1);
  for (TrackedLaunch& launch : tracked) launch.nodes->clear();
  tracked.clear();
  driver.reset();
  world.graph_driver.begin_capture(stream, CU_STREAM_CAPTURE_MODE_RELAXED);
  for (std::size_t i = 0; i < 2; ++i) {
    const CapturePoint before = CapturePoint::of(world.graph_driver, stream);
    ASSERT_EQ(body(i, 0, stream), cudaSuccess);
    tracked.push_back(
        {.operation = op,
         .key = {1},
         .body = [this, i](std::uint32_t v, cudaStream_t s) { return body(i, v, s); },
         .context = context(),
         .variant = 0,
         .captured = 0,
         .graph = before.graph,
         .nodes = chain_between(world.graph_driver, before, CapturePoint::of(world.graph_driver, stream))});
  }
  world.graph_driver.end_capture(stream, &graph);
  make_driver(0);
  const auto executable = make({3, 1}, {0, 1});
  EXPECT_EQ(launched(executable, 1), (std::vector<unsigned>{103, 153, 201}));
  EXPECT_NEAR(us(1, 0), 103.0 + 153.0, 1e-3);
  EXPECT_NEAR(us(1, 1), 201.0, 1e-3);
  driver->release(1);
}

TEST_F(ReplayDriverTest, ARefusedChangeLeavesTheExecutableAsItWas) {
  capture(2);
  const auto executable = make({0, 0});
  driver->form(0, 1);
  driver->form(1, 1);
  world.refuses = [](int, unsigned params) { return params == 201; };
  const std::vector<ReplayDriver::Change> changes = {{0, 0, 1}, {1, 0, 1}};
  const ReplayDriver::Set set = driver->set(executable, changes);
  EXPECT_EQ(set.result, Setting::refused);
  EXPECT_EQ(set.refused, 1u);
  EXPECT_EQ(launched(executable), (std::vector<unsigned>{7, 100, 7, 200, 7}));
  world.refuses = [](int, unsigned params) { return params == 201 || params == 100; };
  EXPECT_EQ(driver->set(executable, changes).result, Setting::broken);
}

TEST_F(ReplayDriverTest, NothingIsMadeWithoutMemoryOrOfAGraphThatCannotBeCopied) {
  capture(1);
  const std::vector<std::uint32_t> variants = {0};
  world.free_memory = 999;
  EXPECT_EQ(driver->make(variants, {}).result, Making::no_memory);
  world.free_memory = 1000;
  world.can_copy = false;
  EXPECT_EQ(driver->make(variants, {}).result, Making::impossible);
}

TEST_F(ReplayDriverTest, WhatIsNotMadeLeavesNothingBehind) {
  capture(1);
  driver->form(0, 3);
  const std::size_t graphs = world.graphs.size();
  world.not_copied = {103};
  const std::vector<std::uint32_t> variants = {3};
  const std::vector<std::size_t> timed = {0};
  EXPECT_EQ(driver->make(variants, timed).result, Making::refused);
  EXPECT_EQ(world.graphs.size(), graphs);
  EXPECT_EQ(world.events_alive(), 0u);
  EXPECT_TRUE(world.executables.empty());
}

TEST_F(ReplayDriverTest, EverythingIsDestroyed) {
  capture(2);
  const auto one = make({0, 3}, {0, 1});
  make({1, 0}, {0});
  launched(one, 1);
  driver->destroy(one);
  EXPECT_FALSE(driver->finished(1));
  driver->release(1);
  driver.reset();
  EXPECT_TRUE(world.executables.empty());
  EXPECT_EQ(world.events_alive(), 0u);
  EXPECT_EQ(world.graphs.size(), 1u) << "the program's own";
  EXPECT_EQ(world.streams.size(), 1u) << "the program's own";
}

TEST_F(ReplayDriverTest, LaunchesWhoseEdgesAreMoreThanAnOrderAreNotTimed) {
  capture(2);
  EXPECT_TRUE(driver->can_time(0));
  world.nodes.at(GraphWorld::number(tracked[1].nodes->front())).lossy = true;
  EXPECT_FALSE(driver->can_time(1));
}

// As launches of cuBLASLt that split k: the second kernel need not wait for the end of the first one.
TEST_F(ReplayDriverTest, EdgesWithinALaunchCarryInACopyWhatTheyCarried) {
  dependent = true;
  capture(2);
  for (const TrackedLaunch& launch : tracked) ASSERT_TRUE(launch.nodes.has_value());
  EXPECT_TRUE(driver->can_time(0));
  EXPECT_EQ(driver->form(0, 1).number, 0u) << "the nodes can take each other's place";
  // Launch 1 has other nodes, so that its kernels are added to the copy.
  const auto made = driver->make(std::vector<std::uint32_t>{1, 3}, std::vector<std::size_t>{0, 1});
  ASSERT_EQ(made.result, Making::made);
  std::size_t dependent_kernels = 0;
  for (const auto& [id, node] : world.executables.begin()->second.nodes)
    if (node.edge != 0) ++dependent_kernels;
  EXPECT_EQ(dependent_kernels, 2u);
}

// All of it together: the learner, the executables and a selector.
class WholeReplayTest : public ReplayDriverTest, public testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(EventsAndStamps, WholeReplayTest, testing::Bool());

TEST_P(WholeReplayTest, EveryVariantIsTimedWithinTheGraph) {
  if (GetParam()) use_stamps();
  capture(3);
  {
    ReplayLearner learner(*driver, {});
    for (const TrackedLaunch& launch : tracked) learner.add(*launch.operation, launch.key, true);
    const std::vector<std::uint32_t> base = {0, 0, 0};
    for (int i = 0; i < 500; ++i) learner.replay(base, nullptr);
    EXPECT_EQ(op->counters().failures, 6u) << "two variants of each launch";
    EXPECT_EQ(learner.counters().lost, 0u);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const Explanation explanation = op->explain(tracked[i].key);
    const double first = 100.0 * static_cast<double>(i + 1);
    const std::vector<double> expected = {first, first + 1, first + 2, 2 * first + 56, 4 * first + 76};
    for (std::uint32_t v = 0; v < expected.size(); ++v) {
      EXPECT_GT(explanation.candidates.at(v).count, 0u) << i << " " << v;
      EXPECT_NEAR(explanation.candidates.at(v).mean_ns, expected[v] * 1e3, 2.0) << i << " " << v;
    }
  }
}

}  // namespace
}  // namespace adaptive::cuda
