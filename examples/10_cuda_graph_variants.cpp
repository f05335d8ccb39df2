// What you learn here: a variant may be a whole graph. Each is captured once, and `cudaGraphLaunch` is the
// launch that is timed: so even work that runs only as a graph is explored, and its structure is part of the
// choice.
//
// A step is eight independent softmaxes: one after the other, or on two or four branches of the graph.
// Branches pay where one kernel leaves most of the GPU idle, and cost where it does not.

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

/// Captures a step whose parts are spread over so many streams.
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
    std::printf("no GPU here: nothing to launch\n");
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
    std::vector<softmax::Graph> graphs;  // one a variant
  };
  std::vector<Shape> shapes;
  for (const softmax::Problem& part : {memory.problem(16, 8192), memory.problem(4096, 1024)}) {
    Shape& shape = shapes.emplace_back(Shape{part, {}});
    for (const int branches : branches_of_variant) shape.graphs.push_back(capture(stream, part, branches));
  }

  for (int call = 0; call < 1000; ++call) {
    for (const Shape& shape : shapes) {
      auto launch = timer.launch(step, softmax::key(shape.part), stream);
      launch.check(shape.graphs[launch.variant()].replay(stream));
    }
  }
  timer.drain();
  for (const Shape& shape : shapes)
    std::printf("%s\n", step.explain(softmax::key(shape.part)).text().c_str());
  std::printf("each graph was captured once; the GPU ran 2000 steps\n");
}
