// This example shows captured graphs. A graph contains the incumbent at the time of the capture, since
// launches in a graph can be neither explored nor timed. A pin tells when the incumbent has changed, and then
// the program captures again.
//
// The same operation is also launched outside the graph, where the selector learns. A server does the same if
// it replays graphs for its common batch sizes and launches the others one by one.

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
  const softmax::Problem problem = memory.problem(32, 131'072);

  const auto enqueue = [&] {
    auto launch = timer.launch(operation, softmax::key(problem), stream);
    launch.check(softmax::launch(launch.variant(), problem, stream));
    return launch.pin();
  };
  adaptive::Pin pin;
  int captures = 0;
  const auto capture = [&] {
    ++captures;
    // The same three lines as outside a capture: during a capture they take the incumbent and return its pin.
    softmax::Graph graph(stream, [&] { pin = enqueue(); });
    std::printf("captured with %s\n", operation.variant(pin.variant()).name.c_str());
    return graph;
  };

  softmax::Graph graph = capture();
  for (int step = 0; step < 1000; ++step) {
    if (pin.stale()) graph = capture();  // a running replay keeps the parts of the old graph that it needs
    softmax::check(graph.replay(stream));
    for (int i = 0; i < 3; ++i) enqueue();
  }
  timer.drain();
  std::printf("%s", operation.explain(softmax::key(problem)).text().c_str());
  std::printf("captured %d times for 1000 replays on the GPU\n", captures);
}
