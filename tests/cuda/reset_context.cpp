// Resets the device while a timer and a tracked graph hold events and executables of it, destroys both, and
// begins again in the new context. Returns 0 if everything is as documented. Run by timer_trouble_test.
#include <memory>

#include <adaptive/cuda.hpp>
#include "cuda/bias/spin.hpp"
#include "tests/cuda/program_checks.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

using namespace adaptive::test;

// Launches and replays of one context.
struct Program {
  explicit Program(Operation& operation, Timing timing) : op(operation), timer(timing), tracked(timer) {
    expect(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess, "a stream");
    expect(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess, "a capture");
    tracked.launch(op, {8}, stream,
                   [](std::uint32_t v, cudaStream_t s) { return launch_spin(20'000 * (v + 1), nullptr, s); });
    expect(cudaStreamEndCapture(stream, &graph) == cudaSuccess, "a graph");
    expect(cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess, "an executable");
  }
  void run() {
    for (int i = 0; i < 50; ++i) {
      {
        auto one = timer.launch(op, {16}, stream);
        one.check(launch_spin(20'000, nullptr, stream));
      }
      expect(tracked.replay(exec, stream) == cudaSuccess, "a replay");
      if (i % 4 == 0) expect(cudaStreamSynchronize(stream) == cudaSuccess, "the replays");
    }
  }

  // Nothing is timed before the costs of events have been measured, on another thread.
  void run_until_recorded() {
    for (int i = 0; i < 2000 && tracked.replay_counters().recorded == 0; ++i) run();
  }

  Operation& op;
  Timer timer;
  TrackedGraph tracked;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
};

int run() {
  Selector selector(options_with<RoundRobin>());
  Operation& op = selector.define(operation({"a", "b"}));
  auto first = std::make_unique<Program>(op, Timing::events);
  first->run();
  first->run_until_recorded();
  expect(first->tracked.replay_counters().recorded > 0, "replays are timed");
  expect(cudaDeviceReset() == cudaSuccess, "the reset");
  first.reset();  // its events, graphs and executables are gone already
  expect(cudaGetLastError() == cudaSuccess, "no error is made");
  Program second(op, Timing::events);
  second.run();
  second.run_until_recorded();
  expect(second.timer.drain(), "the new context works");
  second.tracked.poll();
  expect(second.tracked.replay_counters().recorded > 0, "and is timed");
  expect(second.tracked.replay_counters().lost == 0, "nothing is lost in it");
  return faults == 0 ? 0 : 1;
}

}  // namespace
}  // namespace adaptive::cuda::test

int main() {
  return adaptive::cuda::test::run();
}
