// What you learn here: a captured graph holds the variant that was surely the best known at the capture,
// since nothing can be explored or timed in there. A pin tells when that has changed: capture again.
//
// The same operation is launched outside the graph as well, and learned from there, as a server does that
// replays graphs for its common batch sizes and launches the others one by one.

#include <cstdio>

#include <adaptive/cuda.hpp>
#include "cuda_softmax.hpp"

int main() {
  if (adaptive::cuda::device_count() == 0) {
    std::printf("no GPU here: nothing to launch\n");
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
    // The same three lines: in a capture they take the incumbent and give its pin.
    softmax::Graph graph(stream, [&] { pin = enqueue(); });
    std::printf("captured with %s\n", operation.variant(pin.variant()).name.c_str());
    return graph;
  };

  softmax::Graph graph = capture();
  for (int step = 0; step < 1000; ++step) {
    if (pin.stale()) graph = capture();  // a replay underway keeps what it needs of the old one
    softmax::check(graph.replay(stream));
    for (int i = 0; i < 3; ++i) enqueue();
  }
  timer.drain();
  std::printf("%s", operation.explain(softmax::key(problem)).text().c_str());
  std::printf("captured %d times for 1000 replays on the GPU\n", captures);
}
