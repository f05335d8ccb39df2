// How well three clocks agree on kernels of a known time: the GPU's own, read by the kernel; pairs of events
// without their bias; CUPTI's records.
#include <algorithm>
#include <cstddef>

#include "bench/cuda/launch/launch_bench.hpp"
#include "timing/cuda/spin.hpp"

namespace adaptive::bench {
namespace {

constexpr int launches = 200;

struct Reading {
  double location_ns = 0;
  double device_ns = 0;
};

Reading read(cuda::Timing timing, std::uint64_t ns) {
  Selector selector(timed_selector());
  Operation& op = selector.define(one_variant("spin"));
  cuda::Timer timer(timing);
  if (timer.timing() != timing) return {};
  timer.bias();
  cudaStream_t stream = nullptr;
  void* memory = nullptr;
  require(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");
  require(cudaMalloc(&memory, launches * sizeof(std::uint64_t)), "memory");
  auto* const ran_ns = static_cast<std::uint64_t*>(memory);
  require(cuda::launch_spin(5'000'000, nullptr, stream), "a launch");
  for (int i = 0; i < launches; ++i) {
    auto launch = timer.launch(op, {8}, stream);
    launch.check(cuda::launch_spin(ns, ran_ns + i, stream));
  }
  timer.drain();
  require(cudaStreamSynchronize(stream), "the launches");
  Reading reading;
  reading.location_ns = op.explain({8}).candidates.at(0).location_ns;
  std::vector<std::uint64_t> ran(launches);
  require(cudaMemcpy(ran.data(), ran_ns, launches * sizeof(*ran_ns), cudaMemcpyDeviceToHost), "the clocks");
  reading.device_ns = median({ran.begin(), ran.end()});
  require(cudaFree(ran_ns), "memory");
  require(cudaStreamDestroy(stream), "a stream");
  return reading;
}

}  // namespace

Section clock_agreement(const LaunchOptions& options) {
  Section section{"latency of a kernel that spins, ns (location of 200)", {}};
  for (const std::uint64_t us : {2, 5, 10, 20, 50, 100}) {
    const Reading events = read(cuda::Timing::events, us * 1000);
    const Reading cupti = options.cupti ? read(cuda::Timing::cupti, us * 1000) : Reading{};
    section.rows.push_back({std::to_string(us) + " us",
                            {{"device_ns", events.device_ns},
                             {"events_ns", events.location_ns},
                             {"cupti_ns", cupti.location_ns},
                             {"events_minus_device_ns", events.location_ns - events.device_ns}}});
  }
  cuda::Timer timer;
  section.rows.push_back({"bias", {{"events_ns", timer.bias().count()}}});
  return section;
}

}  // namespace adaptive::bench
