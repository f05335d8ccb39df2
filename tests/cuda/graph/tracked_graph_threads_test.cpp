// Tests that an update disturbs neither captures of other threads nor the caller's pending error.
#include <adaptive/cuda/tracked_graph.hpp>

#include <thread>

#include "tests/cuda/graph/other_capture.hpp"
#include "tests/cuda/graph/tracked_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

class TrackedGraphThreadsTest : public GraphTest {
 protected:
  static void leave_error() {
    ASSERT_EQ(cudaSetDevice(12345), cudaErrorInvalidDevice);
    ASSERT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
  }
};

TEST_F(TrackedGraphThreadsTest, KeepsTheCallersError) {
  Operation& op = operation();
  capture([&] { track(op, 1); });
  promote(op, 1);
  leave_error();
  EXPECT_TRUE(tracked.stale());
  EXPECT_EQ(tracked.update(exec), GraphUpdate::updated) << "the body must not see the error";
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(op.pin({8}).variant(), 1U);
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
}

TEST_F(TrackedGraphThreadsTest, KeepsTheCallersErrorInALaunch) {
  Operation& op = operation();
  leave_error();
  capture([&] {
    tracked.launch(op, {8}, stream, [this](std::uint32_t variant, cudaStream_t s) {
      return cudaMemsetAsync(buffer(1), static_cast<int>(variant), sizeof(int) * length, s);
    });
  });
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(tracked.size(), 1U);
}

TEST_F(TrackedGraphThreadsTest, AnErrorThatWasPendingIsNotTheVariantsFault) {
  Operation& op = operation();
  leave_error();
  capture(
      [&] { EXPECT_EQ(track(op, 1), cudaErrorInvalidDevice) << "as the body's cudaGetLastError() says"; });
  EXPECT_EQ(incumbent(op, {8}), 0U);
  EXPECT_FALSE(tracked.stale());
}

TEST_F(TrackedGraphThreadsTest, PassesOnWhatABodyThrowsWhileAnErrorIsPending) {
  Operation& op = operation();
  capture([&] {
    tracked.launch(op, {8}, stream, [this](std::uint32_t variant, cudaStream_t s) {
      if (variant == 1) throw 1;
      return mark(variant, buffer(1), length, 1, s);
    });
  });
  const Forced forced = op.force("b");
  leave_error();
  EXPECT_THROW(tracked.update(exec), int);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
}

// The strictest mode, in which an unsafe call of any thread breaks the capture.
TEST_F(TrackedGraphThreadsTest, DisturbsNoCaptureOfAnotherThread) {
  Operation& op = operation();
  capture([&] { track(op, 1); });
  // On a stream that the legacy stream waits for, as most are.
  OtherCapture other(cudaStreamDefault, [this](cudaStream_t s) { mark(0, buffer(9), length, 9, s); });
  for (const char* name : {"b", "c", "a", "b", "c"}) {
    const Forced forced = op.force(name);
    EXPECT_EQ(tracked.update(exec), GraphUpdate::updated);
  }
  {
    const Forced forced = op.force("b");
    leave_error();
    EXPECT_EQ(tracked.update(exec), GraphUpdate::updated);
    EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  }
  const Forced forced = op.force("c");
  EXPECT_EQ(tracked.update(exec), GraphUpdate::updated);
  other.expect_undisturbed();
  replay();
  EXPECT_EQ(value(1), marked(1, 2));
}

TEST_F(TrackedGraphThreadsTest, DisturbsNoCaptureOfItsOwnThread) {
  Operation& op = operation();
  capture([&] { track(op, 1); });
  const Forced forced = op.force("b");
  cudaStream_t s = nullptr;
  cudaGraph_t g = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal), cudaSuccess);
  mark(0, buffer(9), length, 9, s);
  EXPECT_EQ(tracked.update(exec), GraphUpdate::updated);
  mark(0, buffer(9), length, 9, s);
  EXPECT_EQ(cudaStreamEndCapture(s, &g), cudaSuccess);
  std::size_t counted = 0;
  cudaGraphGetNodes(g, nullptr, &counted);
  EXPECT_EQ(counted, 2U);
  cudaGraphDestroy(g);
  cudaStreamDestroy(s);
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
}

TEST_F(TrackedGraphThreadsTest, UpdatesFromAThreadThatNeverUsedCuda) {
  Operation& op = operation();
  capture([&] { track(op, 1); });
  const Forced forced = op.force("b");
  GraphUpdate result = GraphUpdate::none;
  std::thread([&] { result = tracked.update(exec); }).join();
  EXPECT_EQ(result, GraphUpdate::updated);
  replay();
  EXPECT_EQ(value(1), marked(1, 1));
}

}  // namespace
}  // namespace adaptive::cuda::test
