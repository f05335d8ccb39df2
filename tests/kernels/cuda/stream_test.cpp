// Tests streams: two at the same time, too many, and captured ones.
#include <thread>
#include <vector>

#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

class Streams : public OnGpu, public testing::WithParamInterface<const Family*> {
 protected:
  const Family& family = *GetParam();
};

// Every candidate, especially those with a workspace, on two streams and threads at the same time.
TEST_P(Streams, DoNotDisturbEachOther) {
  std::vector<Shape> shapes = family.test_shapes();
  shapes.erase(shapes.begin(), shapes.end() - 2);
  const auto caller = [&](std::uint64_t seed) {
    cudaStream_t own = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&own, cudaStreamNonBlocking), cudaSuccess);
    for (const Shape& shape : shapes) {
      const auto problem = family.make_problem(shape, {.seed = seed});
      for (const std::size_t v : family.candidates(shape)) {
        ASSERT_EQ(problem->prepare(v, own), LaunchStatus::ok) << family.variant(v).name;
        const std::vector<std::byte> alone = problem->output(own);
        for (int repeat = 0; repeat < 20; ++repeat) {
          problem->poison_output(own);
          EXPECT_EQ(problem->launch(v, own), LaunchStatus::ok);
        }
        if (repeats(family.variant(v))) {
          EXPECT_EQ(problem->output(own), alone) << family.variant(v).name;
        }
        EXPECT_LE(problem->max_error(own), problem->tolerance()) << family.variant(v).name;
      }
    }
    family.release(own);
    EXPECT_EQ(cudaStreamDestroy(own), cudaSuccess);
  };
  std::thread other(caller, 1);
  caller(2);
  other.join();
}

TEST_P(Streams, PerThreadOnesOfTwoThreadsAreTwo) {
  const Shape shape = family.test_shapes().back();
  const auto caller = [&](std::uint64_t seed) {
    const auto problem = family.make_problem(shape, {.seed = seed});
    for (const std::size_t v : family.candidates(shape)) {
      ASSERT_EQ(problem->prepare(v, cudaStreamPerThread), LaunchStatus::ok);
      problem->poison_output(cudaStreamPerThread);
      for (int repeat = 0; repeat < 20; ++repeat) problem->launch(v, cudaStreamPerThread);
      EXPECT_LE(problem->max_error(cudaStreamPerThread), problem->tolerance()) << family.variant(v).name;
    }
    family.release(cudaStreamPerThread);
  };
  std::thread other(caller, 3);
  caller(4);
  other.join();
}

TEST_P(Streams, BeyondTheLimitAreRefusedUntilOneIsReleased) {
  const auto problem = family.make_problem(family.test_shapes().front(), {});
  std::vector<cudaStream_t> streams;
  LaunchStatus status = LaunchStatus::ok;
  for (int i = 0; i < 64 && status == LaunchStatus::ok; ++i) {
    cudaStream_t one = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&one, cudaStreamNonBlocking), cudaSuccess);
    streams.push_back(one);
    status = problem->prepare(0, one);
  }
  EXPECT_EQ(status, LaunchStatus::unprepared);
  ASSERT_GE(streams.size(), 2u);
  family.release(streams.front());
  EXPECT_EQ(problem->prepare(0, streams.back()), LaunchStatus::ok);
  for (const cudaStream_t one : streams) {
    family.release(one);
    EXPECT_EQ(cudaStreamDestroy(one), cudaSuccess);
  }
}

// A launch in a capture must not make a call that a capture forbids.
TEST_P(Streams, MayBeCaptured) {
  const Shape shape = family.test_shapes().back();
  const auto problem = family.make_problem(shape, {.seed = 9});
  for (const std::size_t v : family.candidates(shape)) {
    SCOPED_TRACE(family.variant(v).name);
    ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
    problem->poison_output(stream);
    ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), cudaSuccess);
    EXPECT_EQ(problem->launch(v, stream), LaunchStatus::ok);
    cudaGraph_t graph = nullptr;
    ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    cudaGraphExec_t exec = nullptr;
    ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    EXPECT_EQ(cudaGraphLaunch(exec, stream), cudaSuccess);
    EXPECT_LE(problem->max_error(stream), problem->tolerance());
    EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
    EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  }
}

INSTANTIATE_TEST_SUITE_P(Cuda, Streams, testing::ValuesIn(families().begin(), families().end()),
                         [](const auto& family) { return family.param->name(); });

}  // namespace
}  // namespace adaptive::kernels::cuda
