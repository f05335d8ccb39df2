// This example shows several GPUs. A selector belongs to one device, because a variant that is fast on one
// GPU may be slow on another. A program that uses several GPUs has one selector for each. One timer serves
// all of them, since a stream knows its device, and any number of threads.

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/cuda.hpp>
#include "cuda_softmax.hpp"

namespace {

/// The objects that a program keeps for each GPU. They are created while that GPU is the current device.
struct Device {
  explicit Device(int ordinal)
      : selector({.device = adaptive::cuda::device(ordinal), .tables = adaptive::TableSearch::standard()}),
        operation(selector.define(softmax::operation())),
        memory(std::size_t{1} << 22) {}

  adaptive::Selector selector;
  adaptive::Operation& operation;
  softmax::Memory memory;
  softmax::Stream stream;
};

}  // namespace

int main() {
  const int count = adaptive::cuda::device_count();
  if (count < 2) {
    std::printf("this machine has %s; this example needs two\n", count == 0 ? "no GPU" : "one GPU");
    return 0;
  }
  std::vector<std::unique_ptr<Device>> devices;
  for (int ordinal = 0; ordinal < 2; ++ordinal) {
    softmax::check(cudaSetDevice(ordinal));
    devices.push_back(std::make_unique<Device>(ordinal));
  }
  adaptive::cuda::Timer timer;

  const auto serve = [&](int ordinal) {
    softmax::check(cudaSetDevice(ordinal));  // for the kernels; the timer gets the device from the stream
    Device& device = *devices[static_cast<std::size_t>(ordinal)];
    const softmax::Problem problem = device.memory.problem(32, 131'072);
    for (int call = 0; call < 2000; ++call) {
      auto launch = timer.launch(device.operation, softmax::key(problem), device.stream);
      launch.check(softmax::launch(launch.variant(), problem, device.stream));
    }
  };
  std::thread other(serve, 1);
  serve(0);
  other.join();
  timer.drain();

  for (int ordinal = 0; ordinal < 2; ++ordinal) {
    Device& device = *devices[static_cast<std::size_t>(ordinal)];
    std::printf("GPU %d, %s: %s", ordinal, device.selector.device().device.c_str(),
                device.operation.explain({32, 131'072}).text().c_str());
    device.selector.save("cuda_device" + std::to_string(ordinal) + ".json");
  }
}
