// This example shows a captured graph that keeps learning. The program captures once, before anything is
// known, and then only replays. `TrackedGraph::replay` takes the place of `cudaGraphLaunch`: some replays are
// timed or try other variants, and the graph runs what has turned out to be faster.

#include <cstdio>

#include <adaptive/cuda.hpp>
#include "cuda_softmax.hpp"

int main() {
  if (adaptive::cuda::device_count() == 0) {
    std::printf("this machine has no GPU; nothing is launched\n");
    return 0;
  }
  adaptive::Selector selector({.device = adaptive::cuda::device()});
  adaptive::Operation& operation = selector.define(softmax::operation());
  adaptive::cuda::Timer timer;
  const softmax::Stream stream;
  const softmax::Memory memory(std::size_t{1} << 22);
  const softmax::Problem problems[] = {memory.problem(65'536, 64), memory.problem(32, 131'072)};

  // The graph and its executable must outlive the object that replays them.
  softmax::Graph graph;
  adaptive::cuda::TrackedGraph tracked(timer);
  graph = softmax::Graph(stream, [&] {
    for (int layer = 0; layer < 10; ++layer)
      for (const softmax::Problem& problem : problems)
        softmax::check(tracked.launch(operation, softmax::key(problem), stream,
                                      // Called again for other variants, so it captures the problem by value
                                      // and uses the stream that it gets.
                                      [problem](std::uint32_t variant, cudaStream_t s) {
                                        return softmax::launch(variant, problem, s);
                                      }));
  });
  std::printf("captured %zu launches on the GPU\n", tracked.size());

  for (int step = 0; step < 4000; ++step) {
    softmax::check(tracked.replay(graph.exec(), stream));
    // A program that reads the results of each step, as one that samples tokens does.
    softmax::check(cudaStreamSynchronize(stream));
  }
  tracked.poll();

  const adaptive::cuda::ReplayCounters counters = tracked.replay_counters();
  std::printf(
      "%llu replays, %llu of them timed launches, %llu launches explored, %llu latencies\n",
      static_cast<unsigned long long>(counters.replays), static_cast<unsigned long long>(counters.looking),
      static_cast<unsigned long long>(counters.explored), static_cast<unsigned long long>(counters.recorded));
  for (const softmax::Problem& problem : problems)
    std::printf("the graph runs %s for %d x %d\n",
                operation.variant(operation.pin(softmax::key(problem)).variant()).name.c_str(), problem.rows,
                problem.columns);
}
