// Tests learning from the replays of a captured graph, on a GPU.
#include "tests/cuda/graph/replay_fixture.hpp"
#include "tests/cuda/instrumented.hpp"

#include <chrono>
#include <thread>

namespace adaptive::inline v1::cuda::test {
namespace {

using ReplayTest = ReplayGpuTest;

TEST_F(ReplayTest, EndsWithTheFastestVariants) {
  if (instrumented()) GTEST_SKIP() << "latencies are not those of the kernels";
  for (int launch = 0; launch < 8; ++launch) {
    tell(launch, 0, (launch % 2 == 0 ? 40 : 20) * replay_us);
    tell(launch, 1, (launch % 2 == 0 ? 20 : 40) * replay_us);
  }
  define(options());
  capture(8);
  replay(1500);
  for (int launch = 0; launch < 8; ++launch) {
    const std::uint32_t best = launch % 2 == 0 ? 1 : 0;
    EXPECT_EQ(op->pin(key(launch)).variant(), best) << launch;
  }
  selector->set_mode(Mode::frozen);
  poison();
  replay(1);
  for (int launch = 0; launch < 8; ++launch) EXPECT_EQ(ran(launch), launch % 2 == 0 ? 1 : 0) << launch;
  const ReplayCounters c = tracked->replay_counters();
  EXPECT_EQ(c.replays, 1501u);
  EXPECT_EQ(c.lost, 0u);
  EXPECT_EQ(c.refused, 0u);
  EXPECT_GT(c.recorded, 0u);
  EXPECT_LT(c.looking, 750u) << "most replays are those of the program's executable";
  expect_adds_up();
}

TEST_F(ReplayTest, LatenciesAreThoseOfTheVariants) {
  if (instrumented()) GTEST_SKIP() << "latencies are not those of the kernels";
  define(options_with<RoundRobin>());
  capture(4);
  replay(400);
  for (int launch = 0; launch < 4; ++launch)
    for (std::uint32_t v = 0; v < 2; ++v) {
      const auto candidate = result(launch, v);
      const double ns = static_cast<double>((20 + 10 * v) * replay_us);
      EXPECT_GT(candidate.count, 20u);
      EXPECT_GT(candidate.location_ns, 0.95 * ns);
      // The mark, and the gap between two kernels.
      EXPECT_LT(candidate.location_ns, ns + 8'000.0);
    }
  EXPECT_EQ(tracked->replay_counters().lost, 0u);
  expect_adds_up();
}

TEST_F(ReplayTest, EveryReplayDoesTheWork) {
  variants = has_clusters() ? 4 : 3;
  define(options_with<RoundRobin>());
  capture(8);
  std::vector<int> seen(variants, 0);
  for (int i = 0; i < 300; ++i) {
    poison();
    replay(1);
    for (int launch = 0; launch < 8; ++launch) {
      const int variant = ran(launch);
      ASSERT_GE(variant, 0) << "replay " << i << ", launch " << launch;
      ++seen[static_cast<std::size_t>(variant)];
    }
  }
  for (std::uint32_t v = 0; v < variants; ++v) EXPECT_GT(seen[v], 0) << v;
  for (int launch = 0; launch < 8; ++launch)
    for (std::uint32_t v = 0; v < variants; ++v) EXPECT_GT(result(launch, v).count, 0u) << launch << " " << v;
  EXPECT_EQ(tracked->replay_counters().lost, 0u);
  expect_adds_up();
}

TEST_F(ReplayTest, AnIncumbentWithOtherNodesRunsFromTheNextReplayOn) {
  variants = has_clusters() ? 4 : 3;
  define(options());
  capture(4);
  replay(1);
  for (std::uint32_t v = variants - 1; v >= 2; --v) {
    const Forced forced = op->force(op->variant(v).name);
    poison();
    replay(1);
    for (int launch = 0; launch < 4; ++launch) EXPECT_EQ(ran(launch), static_cast<int>(v));
    EXPECT_TRUE(tracked->stale()) << "the program may capture again";
  }
  EXPECT_GT(tracked->replay_counters().stand_ins, 0u);
  selector->set_mode(Mode::off);
  poison();
  replay(1);
  for (int launch = 0; launch < 4; ++launch) EXPECT_EQ(ran(launch), 0);
  EXPECT_FALSE(tracked->stale());
}

TEST_F(ReplayTest, ModesThatDoNotLearnReplayThePrograms) {
  for (const Mode mode : {Mode::off, Mode::seed, Mode::frozen}) {
    auto with_mode = options_with<RoundRobin>();
    with_mode.mode = mode;
    define(std::move(with_mode));
    capture(4);
    replay(50);
    const ReplayCounters c = tracked->replay_counters();
    EXPECT_EQ(c.replays, 50u);
    EXPECT_EQ(c.looking, 0u) << to_string(mode);
    EXPECT_EQ(c.built, 0u);
  }
}

TEST_F(ReplayTest, RankConsistencyExploresNothing) {
  auto consistent = options_with<RoundRobin>();
  consistent.rank_consistent = true;
  define(std::move(consistent));
  capture(4);
  for (int i = 0; i < 50; ++i) {
    poison();
    replay(1);
    for (int launch = 0; launch < 4; ++launch) ASSERT_EQ(ran(launch), 0);
  }
  EXPECT_EQ(tracked->replay_counters().explored, 0u);
}

TEST_F(ReplayTest, ADriftInsideTheGraphIsFollowed) {
  if (instrumented()) GTEST_SKIP() << "latencies are not those of the kernels";
  define(options());
  capture(6);
  tell(2, 0, 20 * replay_us);
  tell(2, 1, 24 * replay_us);
  replay(1500);
  ASSERT_EQ(op->pin(key(2)).variant(), 0u);
  tell(2, 0, 36 * replay_us);
  int needed = -1;
  for (int i = 0; i < 200 && needed < 0; ++i) {
    replay(50);
    if (op->pin(key(2)).variant() == 1) needed = 50 * (i + 1);
  }
  EXPECT_GT(needed, 0) << "not within 10,000 replays";
  RecordProperty("replays_until_right_again", needed);
  std::printf("right again after at most %d replays\n", needed);
}

TEST_F(ReplayTest, NeverWaitsForTheGpu) {
  define(options_with<RoundRobin>());
  capture(4);
  replay(20);  // an executable is there, and the meter has measured
  ASSERT_EQ(spin(400'000'000, stream), cudaSuccess);
  for (int i = 0; i < 20; ++i) ASSERT_EQ(tracked->replay(exec, stream), cudaSuccess);
  EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady) << "the kernel ahead of the replays still runs";
  replay(20);
  EXPECT_EQ(tracked->replay_counters().lost, 0u);
  expect_adds_up();
}

TEST_F(ReplayTest, TheCallersErrorStaysWhereItIs) {
  define(options_with<RoundRobin>());
  capture(4);
  ASSERT_EQ(cudaSetDevice(12345), cudaErrorInvalidDevice);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(tracked->replay(exec, stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    ASSERT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
  }
  EXPECT_EQ(op->counters().failures, 0u) << "the error is not a variant's fault";
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  replay(40);
  EXPECT_GT(result(0, 1).count, 0u);
}

TEST_F(ReplayTest, AVariantThatCannotBeCapturedIsSetAside) {
  define(options_with<RoundRobin>());
  launches = 1;
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  tracked->launch(*op, key(0), stream, [this](std::uint32_t v, cudaStream_t s) {
    return v == 1 ? cudaErrorInvalidValue : body(0, v, s);
  });
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  replay(50);
  EXPECT_EQ(op->counters().failures, 1u);
  EXPECT_GT(result(0, 0).count, 10u);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

// CUDA 13.0 refuses a graph launch within a capture. Whatever it answers, nothing else is done.
TEST_F(ReplayTest, WithinACaptureItIsAGraphLaunch) {
  define(options_with<RoundRobin>());
  capture(2);
  replay(10);
  const auto answer_of = [&](const auto& launch) {
    cudaGraph_t outer = nullptr;
    EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    const cudaError_t answer = launch();
    const cudaError_t ended = cudaStreamEndCapture(stream, &outer);
    if (outer != nullptr) cudaGraphDestroy(outer);
    cudaGetLastError();
    return std::pair(answer, ended);
  };
  const ReplayCounters before = tracked->replay_counters();
  const auto plain = answer_of([&] { return cudaGraphLaunch(exec, stream); });
  EXPECT_EQ(answer_of([&] { return tracked->replay(exec, stream); }), plain);
  EXPECT_EQ(tracked->replay_counters().replays, before.replays);
  replay(50);
  EXPECT_GT(tracked->replay_counters().recorded, before.recorded);
}

// The second kernel of a launch may begin before the first one has ended, as those of cuBLASLt that split k
// do.
TEST_F(ReplayTest, ALaunchWithADependentKernelIsExploredAndKeepsIt) {
  if (!has_clusters()) GTEST_SKIP() << "no dependent launch on this GPU";
  define(options_with<RoundRobin>());
  launches = 2;
  ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  for (int launch = 0; launch < 2; ++launch)
    ASSERT_EQ(tracked->launch(*op, key(launch), stream,
                              [this, launch](std::uint32_t v, cudaStream_t s) {
                                const cudaError_t status = body(launch, v, s);
                                if (status != cudaSuccess) return status;
                                return mark_dependent(v, buffer(launch + 8), length, launch, s);
                              }),
              cudaSuccess);
  ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
  for (int i = 0; i < 200; ++i) {
    poison();
    replay(1);
    for (int launch = 0; launch < 2; ++launch) {
      ASSERT_GE(ran(launch), 0);
      std::vector<int> dependent(length);
      ASSERT_EQ(
          cudaMemcpy(dependent.data(), buffer(launch + 8), sizeof(int) * length, cudaMemcpyDeviceToHost),
          cudaSuccess);
      ASSERT_EQ(dependent, std::vector<int>(length, marked(launch, static_cast<unsigned>(ran(launch)))));
    }
  }
  for (int launch = 0; launch < 2; ++launch)
    for (std::uint32_t v = 0; v < 2; ++v) EXPECT_GT(result(launch, v).count, 10u) << launch << " " << v;
  EXPECT_EQ(tracked->replay_counters().refused, 0u);
  const Forced forced = op->force("b");
  EXPECT_EQ(tracked->update(exec), GraphUpdate::updated);
  EXPECT_EQ(tracked->replay_counters().lost, 0u);
  expect_adds_up();
}

TEST_F(ReplayTest, ExecutablesAreBounded) {
  variants = has_clusters() ? 4 : 3;
  define(options_with<RoundRobin>(), Timing::events, {.looks_max = 2, .executables_max = 3});
  capture(8);
  for (int i = 0; i < 40; ++i) {
    replay(25);
    const ReplayCounters c = tracked->replay_counters();
    ASSERT_LE(c.built - c.removed, 3u);
  }
  expect_adds_up();
}

TEST_F(ReplayTest, NoExecutableIsAddedWithoutMemory) {
  define(options_with<RoundRobin>(), Timing::events, {.free_memory_min = std::size_t{1} << 60});
  capture(4);
  replay(100);
  EXPECT_EQ(tracked->replay_counters().built, 0u);
  EXPECT_EQ(tracked->replay_counters().replays, 100u);
}

TEST_F(ReplayTest, AGraphIsDestroyedWhileLatenciesAreOut) {
  for (int round = 0; round < 10; ++round) {
    define(options_with<RoundRobin>());
    capture(4);
    replay(10);
    ASSERT_EQ(spin(20'000'000, stream), cudaSuccess);
    for (int i = 0; i < 5; ++i) ASSERT_EQ(tracked->replay(exec, stream), cudaSuccess);
    drop();  // while the replays wait
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    for (int launch = 0; launch < 4; ++launch) EXPECT_GE(ran(launch), 0);
  }
}

TEST_F(ReplayTest, SeveralGraphsAreInFlight) {
  define(options_with<RoundRobin>());
  capture(4);
  TrackedGraph other(*timer);
  cudaStream_t side = nullptr;
  cudaGraph_t other_graph = nullptr;
  cudaGraphExec_t other_exec = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(side, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  for (int launch = 8; launch < 12; ++launch)
    other.launch(*op, key(launch), side,
                 [this, launch](std::uint32_t v, cudaStream_t s) { return body(launch, v, s); });
  ASSERT_EQ(cudaStreamEndCapture(side, &other_graph), cudaSuccess);
  ASSERT_EQ(cudaGraphInstantiate(&other_exec, other_graph, 0), cudaSuccess);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(tracked->replay(exec, stream), cudaSuccess);
    ASSERT_EQ(other.replay(other_exec, side), cudaSuccess);
    if (i % 2 == 0) {
      ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }
  }
  ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  tracked->poll();
  other.poll();
  EXPECT_GT(tracked->replay_counters().recorded, 50u);
  EXPECT_GT(other.replay_counters().recorded, 50u);
  EXPECT_EQ(tracked->replay_counters().lost + other.replay_counters().lost, 0u);
  for (const int launch : {0, 8})
    for (std::uint32_t v = 0; v < 2; ++v) EXPECT_GT(result(launch, v).count, 0u);
  EXPECT_EQ(cudaGraphExecDestroy(other_exec), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(other_graph), cudaSuccess);
  EXPECT_EQ(cudaStreamDestroy(side), cudaSuccess);
}

TEST_F(ReplayTest, LearnsFromKernelRecords) {
  define(options_with<RoundRobin>(), Timing::cupti);
  if (timer->timing() != Timing::cupti) GTEST_SKIP() << "CUPTI is not available";
  variants = 2;
  capture(4);
  replay(200);
  for (int i = 0; i < 100 && tracked->replay_counters().pending > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    timer->poll();
    tracked->poll();
  }
  const ReplayCounters c = tracked->replay_counters();
  EXPECT_EQ(c.pending, 0u);
  EXPECT_GT(c.recorded, 100u);
  EXPECT_EQ(c.lost, 0u);
  EXPECT_EQ(c.stale, 0u);
  for (int launch = 0; launch < 4; ++launch)
    for (std::uint32_t v = 0; v < 2; ++v) {
      const double ns = static_cast<double>((20 + 10 * v) * replay_us);
      EXPECT_GT(result(launch, v).location_ns, 0.95 * ns);
      EXPECT_LT(result(launch, v).location_ns, ns + 6'000.0);
    }
  expect_adds_up();
}

// Executables come and go, and CUPTI gives the ids of destroyed graphs to new ones.
TEST_F(ReplayTest, RecordsOfDestroyedExecutablesAreNotTakenForOthers) {
  variants = 3;
  define(options_with<RoundRobin>(), Timing::cupti, {.looks_max = 1, .executables_max = 2});
  if (timer->timing() != Timing::cupti) GTEST_SKIP() << "CUPTI is not available";
  for (int launch = 0; launch < 8; ++launch)
    for (std::uint32_t v = 0; v < 3; ++v)
      tell(launch, v, (20 + 15 * static_cast<unsigned>(launch) + 5 * v) * replay_us);
  capture(8);
  replay(3000, 8);
  for (int launch = 0; launch < 8; ++launch)
    for (std::uint32_t v = 0; v < 3; ++v) {
      const auto candidate = result(launch, v);
      if (candidate.count == 0) continue;
      const double ns = (20.0 + 15.0 * launch + 5.0 * v) * 1e3;
      EXPECT_GT(candidate.location_ns, 0.95 * ns) << launch << " " << v;
      EXPECT_LT(candidate.location_ns, ns + 9'000.0) << launch << " " << v;
    }
  EXPECT_GT(tracked->replay_counters().removed, 5u);
  expect_adds_up();
}

TEST_F(ReplayTest, WholeGraphsAsVariantsAreTimedWhateverTheSource) {
  for (const Timing timing : {Timing::events, Timing::cupti}) {
    define(options_with<RoundRobin>(), timing);
    std::vector<cudaGraphExec_t> whole(2);
    for (std::uint32_t v = 0; v < 2; ++v) {
      cudaGraph_t one = nullptr;
      ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
      for (int launch = 0; launch < 4; ++launch) ASSERT_EQ(body(launch, v, stream), cudaSuccess);
      ASSERT_EQ(cudaStreamEndCapture(stream, &one), cudaSuccess);
      ASSERT_EQ(cudaGraphInstantiate(&whole[v], one, 0), cudaSuccess);
      ASSERT_EQ(cudaGraphDestroy(one), cudaSuccess);
    }
    for (int i = 0; i < 100; ++i) {
      if (i % 20 == 0) {
        ASSERT_EQ(spin(4'000'000, stream), cudaSuccess);
      }
      auto launch = timer->launch_graph(*op, key(0), stream);
      launch.check(cudaGraphLaunch(whole[launch.variant()], stream));
    }
    ASSERT_TRUE(timer->drain());
    const TimerCounters c = timer->counters();
    EXPECT_GT(c.recorded, 50u);
    EXPECT_EQ(c.timed, c.recorded + c.idle + c.queued + c.lost + c.pending);
    for (std::uint32_t v = 0; v < 2; ++v) {
      const double ns = 4.0 * (20 + 10 * v) * 1e3;
      EXPECT_GT(result(0, v).location_ns, 0.95 * ns);
      EXPECT_LT(result(0, v).location_ns, ns + (instrumented() ? 1e6 : 40'000.0));
    }
    for (cudaGraphExec_t one : whole) EXPECT_EQ(cudaGraphExecDestroy(one), cudaSuccess);
  }
}

}  // namespace
}  // namespace adaptive::cuda::test
