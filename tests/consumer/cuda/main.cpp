// A user's program that launches on GPUs. Without a GPU the launches are untimed; nothing else changes.
#include <cstdio>
#include <exception>

#include <adaptive/cuda.hpp>

int main() {
  try {
    adaptive::Selector selector;
    adaptive::Operation& gemm = selector.define({.name = "gemm",
                                                 .dimensions = {{"m"}, {"n"}},
                                                 .variants = {{.name = "tile64"}, {.name = "tile128"}}});
    adaptive::cuda::Timer timer;
    for (int i = 0; i < 10; ++i) {
      auto launch = timer.launch(gemm, {128, 4096}, cudaStreamPerThread);
      if (launch.variant() > 1) return 1;
    }
    if (!timer.drain()) return 1;
    adaptive::cuda::TrackedGraph graph;
    if (graph.size() != 0 || graph.stale()) return 1;
    const int devices = adaptive::cuda::device_count();
    std::printf("%d GPUs\n", devices);
    if (devices > 0) std::printf("%s\n", adaptive::cuda::device(0).device.c_str());
    return 0;
  } catch (const std::exception& error) {
    std::printf("unexpected: %s\n", error.what());
    return 1;
  }
}
