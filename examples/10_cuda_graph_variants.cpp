// This example shows variants that are whole graphs. Each graph is captured once, and the timed launch is
// `cudaGraphLaunch`. Therefore even work that runs only as a graph can be explored, and the structure of the
// graph is part of the choice.
//
// A step consists of eight independent softmaxes, one after the other, or on two or four branches of the
// graph. Branches help if one kernel leaves most of the GPU idle; otherwise they cost time.

#include <cstdio>
#include <vector>

#include <adaptive/cuda.hpp>
#include "cuda_softmax.hpp"

namespace {

constexpr int branches_of_variant[] = {1, 2, 4};
constexpr int parts = 8;

struct Event {
  Event() { softmax::check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming)); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { cudaEventDestroy(event); }
  cudaEvent_t event = nullptr;
};

/// Captures a step whose parts are distributed over `branches` streams.
softmax::Graph capture(cudaStream_t stream, const softmax::Problem& part, int branches) {
  const softmax::Stream side[3];
  const Event fork, join;
  return {
      stream, [&] {
        softmax::check(cudaEventRecord(fork.event, stream));
        for (int b = 1; b < branches; ++b) softmax::check(cudaStreamWaitEvent(side[b - 1], fork.event, 0));
        for (int i = 0; i < parts; ++i) {
          softmax::Problem problem = part;
          const std::size_t offset = static_cast<std::size_t>(i) * static_cast<std::size_t>(part.rows) *
                                     static_cast<std::size_t>(part.columns);
          problem.in += offset;
          problem.out += offset;
          softmax::check(softmax::launch(2, problem, i % branches == 0 ? stream : side[i % branches - 1]));
        }
        for (int b = 1; b < branches; ++b) {
          softmax::check(cudaEventRecord(join.event, side[b - 1]));
          softmax::check(cudaStreamWaitEvent(stream, join.event, 0));
        }
      }};
}

}  // namespace

int main() {
  if (adaptive::cuda::device_count() == 0) {
    std::printf("this machine has no GPU; nothing is launched\n");
    return 0;
  }
  adaptive::Selector selector({.device = adaptive::cuda::device()});
  adaptive::Operation& step = selector.define(
      {.name = "softmax_step",
       .dimensions = {{"rows"}, {"columns"}},
       .variants = {{.name = "one_branch"}, {.name = "two_branches"}, {.name = "four_branches"}}});
  adaptive::cuda::Timer timer;
  const softmax::Stream stream;
  const softmax::Memory memory(parts * (std::size_t{1} << 22));

  struct Shape {
    softmax::Problem part;
    std::vector<softmax::Graph> graphs;  // one for each variant
  };
  std::vector<Shape> shapes;
  for (const softmax::Problem& part : {memory.problem(16, 8192), memory.problem(4096, 1024)}) {
    Shape& shape = shapes.emplace_back(Shape{part, {}});
    for (const int branches : branches_of_variant) shape.graphs.push_back(capture(stream, part, branches));
  }

  for (int call = 0; call < 1000; ++call) {
    for (const Shape& shape : shapes) {
      auto launch = timer.launch_graph(step, softmax::key(shape.part), stream);
      launch.check(shape.graphs[launch.variant()].replay(stream));
    }
  }
  timer.drain();
  for (const Shape& shape : shapes)
    std::printf("%s\n", step.explain(softmax::key(shape.part)).text().c_str());
  std::printf("each graph was captured once; the GPU ran 2000 steps\n");
}
