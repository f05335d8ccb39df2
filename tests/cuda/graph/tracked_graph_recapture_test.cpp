// Tests that an update reports what it cannot do and leaves the executable graph unchanged.
#include <adaptive/cuda/tracked_graph.hpp>

#include <cstdio>
#include <functional>
#include <stdexcept>

#include "tests/cuda/graph/tracked_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

class TrackedGraphRecaptureTest : public GraphTest {
 protected:
  /// Tracks a launch whose first variant is one kernel and whose second variant is `other`.
  template <class F>
  void track_other(Operation& op, int id, F other) {
    tracked.launch(op, {8}, stream, [out = buffer(id), id, other](std::uint32_t variant, cudaStream_t s) {
      return variant == 0 ? mark(0, out, length, id, s) : other(out, s);
    });
  }

  /// The second variant needs different nodes: the update must change nothing, and a new capture must contain
  /// it.
  void expect_recapture(Operation& op, const std::function<void()>& enqueue, int id, int wanted) {
    capture(enqueue);
    {
      const Forced forced = op.force("b");
      EXPECT_EQ(tracked.update(exec), GraphUpdate::recapture);
      EXPECT_TRUE(tracked.stale());
      replay();
      EXPECT_EQ(value(id), marked(id, 0)) << "it may still be launched";
      tracked.clear();
      capture(enqueue);
      EXPECT_FALSE(tracked.stale());
      replay();
      EXPECT_EQ(value(id), wanted);
    }
    EXPECT_EQ(tracked.update(exec), GraphUpdate::recapture) << "and the way back is no other";
    replay();
    EXPECT_EQ(value(id), wanted);
  }
};

TEST_F(TrackedGraphRecaptureTest, IsNeededForMoreNodes) {
  Operation& op = operation();
  expect_recapture(
      op,
      [&] {
        track_other(op, 1, [](int* out, cudaStream_t s) {
          mark(1, out, length, 1, s);
          return add(out, length, 1000, s);
        });
      },
      1, marked(1, 1) + 1000);
}

TEST_F(TrackedGraphRecaptureTest, IsNeededForNoNode) {
  Operation& op = operation();
  expect_recapture(
      op,
      [&] {
        mark(3, buffer(2), length, 2, stream);
        track_other(op, 1, [](int*, cudaStream_t) { return cudaSuccess; });
      },
      1, poison);
}

TEST_F(TrackedGraphRecaptureTest, IsNeededForNodesOfAnotherKind) {
  Operation& op = operation();
  expect_recapture(
      op,
      [&] {
        track_other(
            op, 1, [](int* out, cudaStream_t s) { return cudaMemsetAsync(out, 1, sizeof(int) * length, s); });
      },
      1, 0x01010101);
}

TEST_F(TrackedGraphRecaptureTest, IsNeededForNodesOnTwoStreams) {
  Operation& op = operation();
  cudaStream_t side = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&join, cudaEventDisableTiming), cudaSuccess);
  const auto halves = [=](int* out, cudaStream_t s) {
    cudaEventRecord(fork, s);
    cudaStreamWaitEvent(side, fork, 0);
    mark(1, out, length / 2, 1, s);
    mark(1, out + length / 2, length - length / 2, 1, side);
    cudaEventRecord(join, side);
    return cudaStreamWaitEvent(s, join, 0);
  };
  expect_recapture(
      op,
      [&] {
        track_other(op, 1, halves);
        add(buffer(1), length, 0, stream);
      },
      1, marked(1, 1));
  // If it stayed open, the second stream would break the scratch capture.
  capture([&] {
    tracked.clear();
    track_other(op, 1, [=](int* out, cudaStream_t s) {
      cudaEventRecord(fork, s);
      cudaStreamWaitEvent(side, fork, 0);
      mark(1, out, length, 1, s);
      return mark(1, out, length, 1, side);
    });
  });
  const Forced forced = op.force("b");
  EXPECT_EQ(tracked.update(exec), GraphUpdate::recapture);
  replay();
  EXPECT_EQ(value(1), marked(1, 0));
  cudaEventDestroy(fork);
  cudaEventDestroy(join);
  cudaStreamDestroy(side);
}

TEST_F(TrackedGraphRecaptureTest, IsNeededForClusters) {
  if (!is_hopper_or_newer()) GTEST_SKIP() << "no clusters on this GPU";
  Operation& op = operation();
  expect_recapture(
      op,
      [&] {
        track_other(op, 1, [](int* out, cudaStream_t s) { return mark_in_clusters(1, out, length, 1, s); });
      },
      1, marked(1, 1));
}

// CUDA may or may not report compiled clusters as an attribute of the node; in both cases the result must be
// right.
TEST_F(TrackedGraphRecaptureTest, CompiledClustersAreRightOrRefused) {
  if (!is_hopper_or_newer()) GTEST_SKIP() << "no clusters on this GPU";
  Operation& op = operation();
  capture([&] {
    track_other(op, 1,
                [](int* out, cudaStream_t s) { return mark_in_compiled_clusters(1, out, length, 1, s); });
  });
  const Forced forced = op.force("b");
  const GraphUpdate result = tracked.update(exec);
  std::printf("compiled clusters: %s\n", result == GraphUpdate::updated ? "updated" : "recapture");
  ASSERT_TRUE(result == GraphUpdate::updated || result == GraphUpdate::recapture);
  replay();
  EXPECT_EQ(value(1), marked(1, result == GraphUpdate::updated ? 1 : 0));
}

TEST_F(TrackedGraphRecaptureTest, IsNeededForProgrammaticDependentLaunch) {
  if (!is_hopper_or_newer()) GTEST_SKIP() << "no dependent launch on this GPU";
  Operation& op = operation();
  capture([&] {
    mark(3, buffer(0), length, 0, stream);
    tracked.launch(op, {8}, stream, [out = buffer(1)](std::uint32_t variant, cudaStream_t s) {
      return mark_dependent(variant, out, length, 1, s);
    });
  });
  const Forced forced = op.force("b");
  EXPECT_EQ(tracked.update(exec), GraphUpdate::recapture);
  replay();
  EXPECT_EQ(value(1), marked(1, 0));
}

TEST_F(TrackedGraphRecaptureTest, OneThatDoesNotFitHoldsBackTheOthers) {
  Operation& op = operation();
  capture([&] {
    track(op, 1);
    track_other(op, 2, [](int* out, cudaStream_t s) {
      mark(1, out, length, 2, s);
      return add(out, length, 0, s);
    });
  });
  const Forced forced = op.force("b");
  EXPECT_EQ(tracked.update(exec), GraphUpdate::recapture);
  replay();
  EXPECT_EQ(value(1), marked(1, 0));
  EXPECT_EQ(value(2), marked(2, 0));
  EXPECT_TRUE(tracked.stale());
}

// Drivers differ in which two-dimensional memsets can be set. With any driver, either all launches change or
// none. (node_chain_test.cpp tests refusals of every kind.)
TEST_F(TrackedGraphRecaptureTest, TwoDimensionalMemsetsAreSetOrRefused) {
  Operation& op = operation();
  capture([&] {
    track(op, 1);
    tracked.launch(op, {8}, stream, [this](std::uint32_t variant, cudaStream_t s) {
      mark(variant, buffer(2), length, 2, s);
      return cudaMemset2DAsync(buffer(3), 128, static_cast<int>(variant) + 1, 64, 20, s);
    });
    track(op, 4);
  });
  const Forced forced = op.force("b");
  const GraphUpdate result = tracked.update(exec);
  std::printf("two-dimensional memset: %s\n", result == GraphUpdate::updated ? "updated" : "recapture");
  ASSERT_TRUE(result == GraphUpdate::updated || result == GraphUpdate::recapture);
  const std::uint32_t now = result == GraphUpdate::updated ? 1 : 0;
  EXPECT_EQ(tracked.stale(), now == 0);
  replay();
  EXPECT_EQ(value(1), marked(1, now));
  EXPECT_EQ(value(2), marked(2, now));
  EXPECT_EQ(value(4), marked(4, now));
  int first = 0;
  ASSERT_EQ(cudaMemcpy(&first, buffer(3), sizeof first, cudaMemcpyDefault), cudaSuccess);
  EXPECT_EQ(first, 0x01010101 * (static_cast<int>(now) + 1));
}

TEST_F(TrackedGraphRecaptureTest, IsNeededForTheExecutableOfAnotherGraph) {
  Operation& op = operation();
  cudaGraph_t other = nullptr;
  cudaGraphExec_t foreign = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  mark(3, buffer(5), length, 5, stream);
  ASSERT_EQ(cudaStreamEndCapture(stream, &other), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&foreign, other, 0), cudaSuccess);
  capture([&] { track(op, 1); });
  const Forced forced = op.force("b");
  EXPECT_EQ(tracked.update(foreign), GraphUpdate::recapture);
  EXPECT_EQ(tracked.update(nullptr), GraphUpdate::recapture);
  EXPECT_EQ(tracked.update(exec), GraphUpdate::updated);
  cudaGraphExecDestroy(foreign);
  cudaGraphDestroy(other);
}

TEST_F(TrackedGraphRecaptureTest, IsNeededWhereABodyFailsInAnUpdate) {
  Operation& op = operation();
  capture([&] {
    track(op, 2);
    track_other(op, 1, [](int*, cudaStream_t) {
      void* nothing = nullptr;
      return cudaMalloc(&nothing, ~std::size_t{0} / 2);  // leaves an error behind
    });
  });
  promote(op, 1);
  EXPECT_EQ(tracked.update(exec), GraphUpdate::recapture);
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess);
  EXPECT_NE(incumbent(op, {8}), 1U) << "set aside";
  replay();
  EXPECT_EQ(value(1), marked(1, 0));
  EXPECT_EQ(value(2), marked(2, 0));
}

TEST_F(TrackedGraphRecaptureTest, IsNeededWhereABodyThrowsInAnUpdate) {
  Operation& op = operation();
  bool angry = true;
  capture([&] {
    track(op, 2);
    track_other(op, 1, [&angry](int* out, cudaStream_t s) {
      mark(1, out, length, 1, s);
      if (angry) throw std::runtime_error("no");
      return cudaSuccess;
    });
  });
  const Forced forced = op.force("b");
  EXPECT_THROW(tracked.update(exec), std::runtime_error);
  EXPECT_TRUE(tracked.stale());
  replay();
  EXPECT_EQ(value(2), marked(2, 0));
  angry = false;
  EXPECT_EQ(tracked.update(exec), GraphUpdate::updated);
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
  EXPECT_EQ(value(2), marked(2, 1));
}

TEST_F(TrackedGraphRecaptureTest, IsNeededWhereABodyFailsInTheCapture) {
  Operation& op = operation();
  capture([&] {
    EXPECT_EQ(tracked.launch(op, {8}, stream,
                             [](std::uint32_t, cudaStream_t) { return cudaErrorInvalidConfiguration; }),
              cudaErrorInvalidConfiguration);
    mark(0, buffer(0), length, 0, stream);
  });
  EXPECT_EQ(tracked.size(), 1U);
  EXPECT_EQ(incumbent(op, {8}), 1U) << "set aside";
  EXPECT_TRUE(tracked.stale());
  EXPECT_EQ(tracked.update(exec), GraphUpdate::recapture);
}

}  // namespace
}  // namespace adaptive::cuda::test
