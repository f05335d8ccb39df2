// Tests that a promotion reaches an executable graph, and that the update changes nothing else.
#include <adaptive/cuda/tracked_graph.hpp>

#include <memory>

#include "tests/cuda/graph/tracked_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

class TrackedGraphTest : public GraphTest {};

TEST_F(TrackedGraphTest, RunsThePromotedVariantAfterAnUpdate) {
  Operation& op = operation();
  capture([&] { ASSERT_EQ(track(op, 1), cudaSuccess); });
  EXPECT_EQ(tracked.size(), 1U);
  EXPECT_FALSE(tracked.stale());
  EXPECT_EQ(tracked.update(exec), GraphUpdate::none);
  replay();
  EXPECT_EQ(value(1), marked(1, 0));

  promote(op, 1);
  EXPECT_TRUE(tracked.stale());
  replay();
  EXPECT_EQ(value(1), marked(1, 0)) << "a promotion alone changes nothing";
  EXPECT_EQ(tracked.update(exec), GraphUpdate::updated);
  EXPECT_FALSE(tracked.stale());
  EXPECT_EQ(tracked.update(exec), GraphUpdate::none);
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
}

TEST_F(TrackedGraphTest, FollowsManyChanges) {
  Operation& op = operation("op", variants_max);
  capture([&] { track(op, 1); });
  for (const char* name : {"b", "d", "a", "c", "b", "a"}) {
    const Forced forced = op.force(name);
    ASSERT_EQ(tracked.update(exec), GraphUpdate::updated) << name;
    replay();
    EXPECT_EQ(value(1), marked(1, *op.find_variant(name)));
  }
  EXPECT_EQ(tracked.update(exec), GraphUpdate::none) << "back at a, which it runs";
  EXPECT_FALSE(tracked.stale());
}

TEST_F(TrackedGraphTest, LeavesTheOtherNodesAlone) {
  Operation& moving = operation("moving");
  Operation& steady = operation("steady");
  capture([&] {
    mark(2, buffer(0), length, 9, stream);  // no launch of ours
    track(steady, 1);
    track(moving, 2);
    track(moving, 3, 4096);  // another key
    add(buffer(2), length, 5, stream);
    track(steady, 4);
  });
  promote(moving, 2);
  ASSERT_EQ(incumbent(moving, {4096}), 0U);
  ASSERT_EQ(tracked.update(exec), GraphUpdate::updated);
  replay();
  EXPECT_EQ(value(0), marked(9, 2));
  EXPECT_EQ(value(1), marked(1, 0));
  EXPECT_EQ(value(2), marked(2, 2) + 5) << "the order of the nodes has changed";
  EXPECT_EQ(value(3), marked(3, 0));
  EXPECT_EQ(value(4), marked(4, 0));
}

TEST_F(TrackedGraphTest, UpdatesManyLaunchesAtOnce) {
  Operation& op = operation();
  Operation& other = operation("other");
  capture([&] {
    for (int id = 0; id < 20; ++id) track(id % 2 == 0 ? op : other, id);
  });
  promote(op, 1);
  promote(other, 2);
  ASSERT_EQ(tracked.update(exec), GraphUpdate::updated);
  replay();
  for (int id = 0; id < 20; ++id) EXPECT_EQ(value(id), marked(id, id % 2 == 0 ? 1 : 2)) << id;
}

// A memset, a copy and two kernels: every kind of node that can be updated.
TEST_F(TrackedGraphTest, UpdatesALineOfSeveralNodes) {
  Operation& op = operation();
  capture([&] {
    add(buffer(5), length, 1, stream);
    tracked.launch(op, {8}, stream, [this](std::uint32_t variant, cudaStream_t s) {
      const int byte = static_cast<int>(variant) + 1;
      cudaMemsetAsync(buffer(0), byte, sizeof(int) * length, s);
      mark(variant, buffer(1), length, 1, s);
      cudaMemcpyAsync(buffer(2), buffer(variant == 0 ? 0 : 1), sizeof(int) * length, cudaMemcpyDeviceToDevice,
                      s);
      return add(buffer(2), length, static_cast<int>(variant), s);
    });
    add(buffer(2), length, 1000, stream);
  });
  replay();
  EXPECT_EQ(value(0), 0x01010101);
  EXPECT_EQ(value(2), 0x01010101 + 1000);
  for (const std::uint32_t variant : {1U, 2U, 0U}) {
    const Forced forced = op.force(op.variant(variant).name);
    ASSERT_EQ(tracked.update(exec), GraphUpdate::updated) << variant;
    replay();
    const int bytes = 0x01010101 * (static_cast<int>(variant) + 1);
    EXPECT_EQ(value(0), bytes);
    EXPECT_EQ(value(1), marked(1, variant));
    EXPECT_EQ(value(2), (variant == 0 ? bytes : marked(1, variant)) + static_cast<int>(variant) + 1000);
  }
}

TEST_F(TrackedGraphTest, UpdatesLaunchesOnForkedStreams) {
  Operation& op = operation();
  cudaStream_t side = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&join, cudaEventDisableTiming), cudaSuccess);
  const auto on = [&](cudaStream_t s, int id) {
    return tracked.launch(op, {8}, s, [out = buffer(id), id](std::uint32_t variant, cudaStream_t t) {
      return mark(variant, out, length, id, t);
    });
  };
  capture([&] {
    cudaEventRecord(fork, stream);  // before anything: neither launch has a node behind it
    cudaStreamWaitEvent(side, fork, 0);
    on(side, 0);
    on(stream, 1);
    on(side, 2);
    on(stream, 3);
    cudaEventRecord(join, side);
    cudaStreamWaitEvent(stream, join, 0);
    on(stream, 4);  // behind two nodes
    cudaEventRecord(fork, stream);
    cudaStreamWaitEvent(side, fork, 0);
    on(side, 5);
    on(stream, 6);
    cudaEventRecord(join, side);
    cudaStreamWaitEvent(stream, join, 0);
    add(buffer(5), length, 7, stream);
  });
  promote(op, 1);
  ASSERT_EQ(tracked.update(exec), GraphUpdate::updated);
  replay();
  for (int id = 0; id < 7; ++id) EXPECT_EQ(value(id), marked(id, 1) + (id == 5 ? 7 : 0)) << id;
  cudaEventDestroy(fork);
  cudaEventDestroy(join);
  cudaStreamDestroy(side);
}

TEST_F(TrackedGraphTest, UpdatesWhatAPerThreadStreamCaptured) {
  Operation& op = operation();
  cudaGraph_t own = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(cudaStreamPerThread, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  tracked.launch(op, {8}, cudaStreamPerThread, [this](std::uint32_t variant, cudaStream_t s) {
    return mark(variant, buffer(1), length, 1, s);
  });
  ASSERT_EQ(cudaStreamEndCapture(cudaStreamPerThread, &own), cudaSuccess);
  ASSERT_EQ(tracked.size(), 1U);
  graph = own;
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  promote(op, 1);
  ASSERT_EQ(tracked.update(exec), GraphUpdate::updated);
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
}

TEST_F(TrackedGraphTest, LaunchesUnderwayRunAsTheyWere) {
  Operation& op = operation();
  capture([&] {
    spin(20'000'000, stream);
    track(op, 1);
  });
  const Forced forced = op.force("b");
  ASSERT_EQ(cudaGraphLaunch(exec, stream), cudaSuccess);
  ASSERT_EQ(tracked.update(exec), GraphUpdate::updated);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(value(1), marked(1, 0));
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
}

TEST_F(TrackedGraphTest, OutsideACaptureRunsTheIncumbentAndRemembersNothing) {
  Operation& op = operation();
  promote(op, 2);
  ASSERT_EQ(track(op, 1), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(value(1), marked(1, 2));
  EXPECT_EQ(tracked.size(), 0U);
  promote(op, 0);
  EXPECT_FALSE(tracked.stale());
  EXPECT_EQ(tracked.update(nullptr), GraphUpdate::none);
}

TEST_F(TrackedGraphTest, ForgetsOnClear) {
  Operation& op = operation();
  capture([&] { track(op, 1); });
  promote(op, 1);
  tracked.clear();
  EXPECT_EQ(tracked.size(), 0U);
  EXPECT_FALSE(tracked.stale());
  capture([&] { track(op, 1); });
  EXPECT_FALSE(tracked.stale()) << "captured with the incumbent";
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
}

TEST_F(TrackedGraphTest, UpdatesTheGraphsOfTwoDevicesInOneCapture) {
  if (device_count() < 2) GTEST_SKIP() << "one GPU";
  Operation& op = operation();
  cudaStream_t far = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  int* far_memory = nullptr;
  ASSERT_EQ(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), cudaSuccess);
  cudaSetDevice(1);
  ASSERT_EQ(cudaStreamCreateWithFlags(&far, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&join, cudaEventDisableTiming), cudaSuccess);
  ASSERT_EQ(cudaMalloc(&far_memory, sizeof(int) * length), cudaSuccess);
  cudaSetDevice(0);
  capture([&] {
    track(op, 1);
    cudaEventRecord(fork, stream);
    cudaSetDevice(1);
    cudaStreamWaitEvent(far, fork, 0);
    tracked.launch(op, {8}, far, [far_memory](std::uint32_t variant, cudaStream_t s) {
      return mark(variant, far_memory, length, 2, s);
    });
    cudaEventRecord(join, far);
    cudaSetDevice(0);
    cudaStreamWaitEvent(stream, join, 0);
  });
  promote(op, 1);
  ASSERT_EQ(tracked.update(exec), GraphUpdate::updated);
  int device = -1;
  cudaGetDevice(&device);
  EXPECT_EQ(device, 0);
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
  int first = 0;
  ASSERT_EQ(cudaMemcpy(&first, far_memory, sizeof first, cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(first, marked(2, 1));
  cudaFree(far_memory);
  cudaEventDestroy(fork);
  cudaEventDestroy(join);
  cudaStreamDestroy(far);
}

}  // namespace
}  // namespace adaptive::cuda::test
