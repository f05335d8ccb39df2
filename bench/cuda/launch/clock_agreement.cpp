// Measures how well three clocks agree on kernels of a known duration: the GPU's own clock, read by the
// kernel; pairs of events without their bias; and CUPTI's records.
#include <algorithm>
#include <cstddef>

#include "bench/cuda/launch/launch_bench.hpp"
#include "cuda/bias/spin.hpp"

namespace adaptive::bench {
namespace {

constexpr int readings = 200;

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
  require(cudaMalloc(&memory, readings * sizeof(std::uint64_t)), "memory");
  auto* const ran_ns = static_cast<std::uint64_t*>(memory);
  require(cuda::launch_spin(5'000'000, nullptr, stream), "a launch");
  for (int i = 0; i < readings; ++i) {
    auto launch = timer.launch(op, {8}, stream);
    launch.check(cuda::launch_spin(ns, ran_ns + i, stream));
  }
  timer.drain();
  require(cudaStreamSynchronize(stream), "the launches");
  Reading reading;
  reading.location_ns = op.explain({8}).candidates.at(0).location_ns;
  std::vector<std::uint64_t> ran(readings);
  require(cudaMemcpy(ran.data(), ran_ns, readings * sizeof(*ran_ns), cudaMemcpyDeviceToHost), "the clocks");
  reading.device_ns = median({ran.begin(), ran.end()});
  require(cudaFree(ran_ns), "memory");
  require(cudaStreamDestroy(stream), "a stream");
  return reading;
}

}  // namespace

Section clock_agreement(const LaunchOptions& options) {
  Section section{"latency of a kernel that spins, ns (location of 200)", {}};
  struct Line {
    std::uint64_t us;
    Reading events;
    Reading cupti;
  };
  std::vector<Line> lines;
  std::vector<double> cupti_reads_more;
  for (const std::uint64_t us : {2, 5, 10, 20, 50, 100}) {
    lines.push_back({us, read(cuda::Timing::events, us * 1000),
                     options.cupti ? read(cuda::Timing::cupti, us * 1000) : Reading{}});
    const Reading& cupti = lines.back().cupti;
    if (cupti.location_ns > 0) cupti_reads_more.push_back(cupti.location_ns - cupti.device_ns);
  }
  // A timer subtracts the bias of event pairs. CUPTI's records are longer than the kernel's own reading by
  // the start and the end of the kernel. This difference is the same for every kernel and stays in the
  // latency.
  const double cupti_bias = cupti_reads_more.empty() ? 0.0 : median(cupti_reads_more);
  for (const Line& line : lines) {
    Row row{std::to_string(line.us) + " us",
            {{"device_ns", line.events.device_ns}, {"events_ns", line.events.location_ns}}};
    if (line.cupti.location_ns > 0) {
      row.numbers.emplace_back("cupti_ns", line.cupti.location_ns);
      row.numbers.emplace_back("cupti_calibrated_ns", line.cupti.location_ns - cupti_bias);
    }
    section.rows.push_back(std::move(row));
  }
  cuda::Timer timer;
  section.rows.push_back({"bias", {{"events_ns", timer.bias().count()}, {"cupti_ns", cupti_bias}}});
  return section;
}

}  // namespace adaptive::bench
