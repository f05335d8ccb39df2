// This example shows how TrackedGraph updates an instantiated graph after a promotion. It knows which nodes
// belong to which launch and changes only those; the rest of the graph, which may be long, is not captured
// again.

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

  adaptive::cuda::TrackedGraph tracked;
  const auto capture = [&] {
    tracked.clear();
    return softmax::Graph(stream, [&] {
      for (int layer = 0; layer < 10; ++layer)
        for (const softmax::Problem& problem : problems)
          softmax::check(tracked.launch(operation, softmax::key(problem), stream,
                                        // An update calls this function again, so it captures the problem by
                                        // value and uses the stream that it gets.
                                        [problem](std::uint32_t variant, cudaStream_t s) {
                                          return softmax::launch(variant, problem, s);
                                        }));
    });
  };

  softmax::Graph graph = capture();
  std::printf("captured %zu launches on the GPU\n", tracked.size());
  for (int step = 0; step < 1000; ++step) {
    if (tracked.stale()) {
      const adaptive::cuda::GraphUpdate update = tracked.update(graph.exec());
      std::printf("step %d: %s\n", step,
                  update == adaptive::cuda::GraphUpdate::updated ? "updated" : "captured again");
      // The new variant needs different nodes.
      if (update >= adaptive::cuda::GraphUpdate::recapture) graph = capture();
    }
    softmax::check(graph.replay(stream));
    for (int i = 0; i < 6; ++i) {  // the selector learns here
      const softmax::Problem& problem = problems[i % 2];
      auto launch = timer.launch(operation, softmax::key(problem), stream);
      launch.check(softmax::launch(launch.variant(), problem, stream));
    }
  }
  timer.drain();
  for (const softmax::Problem& problem : problems)
    std::printf("the graph runs %s for %d x %d\n",
                operation.variant(operation.pin(softmax::key(problem)).variant()).name.c_str(), problem.rows,
                problem.columns);
}
