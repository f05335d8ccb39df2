// This example shows how three lines wrap a kernel launch. The GPU times the launch with events while the
// program continues, and the latency arrives during a later launch.
//
// The operation is the softmax of the rows of a matrix. How many threads should share a row depends on the
// number of rows and their length.

#include <cstdio>

#include <adaptive/cuda.hpp>
#include "cuda_softmax.hpp"

int main() {
  if (adaptive::cuda::device_count() == 0) {
    std::printf("this machine has no GPU; nothing is launched\n");
    return 0;
  }
  adaptive::Selector selector(
      {.device = adaptive::cuda::device(), .tables = adaptive::TableSearch::standard()});
  std::printf("GPU: %s\n", selector.device().device.c_str());

  adaptive::Operation& operation = selector.define(softmax::operation());
  adaptive::cuda::Timer timer;
  const softmax::Stream stream;
  const softmax::Memory memory(std::size_t{1} << 22);
  const softmax::Problem problems[] = {memory.problem(65'536, 64), memory.problem(4096, 1024),
                                       memory.problem(32, 131'072)};

  for (int call = 0; call < 2000; ++call) {
    for (const softmax::Problem& problem : problems) {
      auto launch = timer.launch(operation, softmax::key(problem), stream);
      launch.check(softmax::launch(launch.variant(), problem, stream));
    }  // the timing ends with the scope
  }
  timer.drain();  // the only line that waits; a program that continues to launch does not need it

  for (const softmax::Problem& problem : problems)
    std::printf("%s\n", operation.explain(softmax::key(problem)).text().c_str());
  const adaptive::cuda::TimerCounters counters = timer.counters();
  std::printf("of 6000 launches %llu were timed; the bias of an event pair is %.1f us and is subtracted\n",
              static_cast<unsigned long long>(counters.timed), timer.bias().count() / 1000);
  selector.save("cuda_stream.json");
}
