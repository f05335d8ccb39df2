#include "cuda/graph/graph_meter.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/bias/estimate.hpp"
#include "cuda/bias/spin.hpp"
#include "cuda/bias/spin_rig.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr int graph_readings = 5;
constexpr std::uint64_t clock_step_max_ns = 100;  // of kernels of some microseconds, this is a percent or two
constexpr std::uint64_t held_max_ns = 16 * SpinRig::plug_ns;

// The kernels of a rig as a graph, with and without something that times each.
struct GraphRig {
  SpinRig spin;
  CUevent begins = nullptr;
  CUevent ends = nullptr;
  std::uint64_t* stamps = nullptr;           // on the device: two of each kernel; null: events
  std::array<cudaGraphExec_t, 2> execs{};    // untimed and timed
  std::uint64_t held_ns = SpinRig::plug_ns;  // for how long the stream is kept busy; more after it ran dry

  bool make(const Driver& driver) {
    return spin.make(driver) && driver.event_create(&begins, CU_EVENT_DEFAULT) == CUDA_SUCCESS &&
           driver.event_create(&ends, CU_EVENT_DEFAULT) == CUDA_SUCCESS;
  }
  bool capture() { return capture(execs[0], false) && capture(execs[1], true); }

  bool capture(cudaGraphExec_t& exec, bool timed) {
    if (cudaStreamBeginCapture(spin.stream, cudaStreamCaptureModeRelaxed) != cudaSuccess) return false;
    bool fine = true;
    for (std::size_t i = 0; i < SpinRig::kernels; ++i) {
      if (timed) fine = fine && note(i, true);
      fine = fine && launch_spin(SpinRig::kernel_ns, spin.ran_ns + i, spin.stream) == cudaSuccess;
      if (timed) fine = fine && note(i, false);
    }
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(spin.stream, &graph) != cudaSuccess || graph == nullptr) return false;
    fine = fine && cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess;
    cudaGraphDestroy(graph);
    return fine;
  }

  bool note(std::size_t kernel, bool start) {
    if (stamps != nullptr)
      return launch_stamp(stamps + 2 * kernel + (start ? 0 : 1), spin.stream) == cudaSuccess;
    // An event of the driver is also one of the runtime.
    return cudaEventRecordWithFlags(start ? spin.start[kernel] : spin.end[kernel], spin.stream,
                                    cudaEventRecordExternal) == cudaSuccess;
  }

  // The smallest step of the GPU's clock, in ns; 0 if it could not be measured.
  std::uint64_t clock_step() {
    std::uint64_t step = 0;
    if (launch_clock_step(spin.ran_ns, spin.stream) != cudaSuccess ||
        cudaMemcpyAsync(&step, spin.ran_ns, sizeof step, cudaMemcpyDeviceToHost, spin.stream) !=
            cudaSuccess ||
        cudaStreamSynchronize(spin.stream) != cudaSuccess)
      return 0;
    return step;
  }

  // Of the latest replay of the timed graph. No samples if a call failed.
  std::vector<BiasSample> samples(const Driver& driver) {
    if (stamps == nullptr) return spin.samples(driver);
    std::array<std::uint64_t, SpinRig::kernels> ran{};
    std::array<std::uint64_t, 2 * SpinRig::kernels> noted{};
    if (cudaMemcpyAsync(ran.data(), spin.ran_ns, sizeof ran, cudaMemcpyDeviceToHost, spin.stream) !=
            cudaSuccess ||
        cudaMemcpyAsync(noted.data(), stamps, sizeof noted, cudaMemcpyDeviceToHost, spin.stream) !=
            cudaSuccess ||
        cudaStreamSynchronize(spin.stream) != cudaSuccess)
      return {};
    std::vector<BiasSample> all;
    for (std::size_t i = 0; i < SpinRig::kernels; ++i)
      all.push_back({static_cast<double>(noted[2 * i + 1]) - static_cast<double>(noted[2 * i]),
                     static_cast<double>(ran[i])});
    return all;
  }

  // The time that a replay takes on a busy stream, in ns; 0 if a call failed or the stream ran dry.
  double replay(const Driver& driver, cudaGraphExec_t exec) {
    float ms = 0;
    if (launch_spin(held_ns, spin.ran_ns + SpinRig::kernels, spin.stream) != cudaSuccess ||
        driver.event_record(begins, spin.stream) != CUDA_SUCCESS ||
        cudaGraphLaunch(exec, spin.stream) != cudaSuccess ||
        driver.event_record(ends, spin.stream) != CUDA_SUCCESS)
      return 0;
    const bool queued = driver.event_query(begins) == CUDA_ERROR_NOT_READY;
    if (cudaStreamSynchronize(spin.stream) != cudaSuccess ||
        driver.event_elapsed_ms(&ms, begins, ends) != CUDA_SUCCESS)
      return 0;
    if (!queued) {
      held_ns = std::min(4 * held_ns, held_max_ns);
      return 0;
    }
    return double{ms} * 1e6;
  }

  void destroy(const Driver& driver) {
    for (cudaGraphExec_t exec : execs)
      if (exec != nullptr) cudaGraphExecDestroy(exec);
    spin.destroy_events(driver);
    if (begins != nullptr) driver.event_destroy(begins);
    if (ends != nullptr) driver.event_destroy(ends);
  }
};

// Memory and a kernel for stamps; null if the GPU's clock is too coarse or something failed. The memory stays
// allocated, because freeing it would wait for the whole device.
std::unique_ptr<GraphStamps> make_stamps(GraphRig& rig) {
  const std::uint64_t step = rig.clock_step();
  if (step == 0 || step > clock_step_max_ns) return nullptr;
  cudaFunction_t kernel = nullptr;
  void* device = nullptr;
  void* host = nullptr;
  if (cudaGetFuncBySymbol(&kernel, stamp_kernel()) != cudaSuccess ||
      cudaMalloc(&device, GraphStamps::bytes) != cudaSuccess ||
      cudaHostAlloc(&host, GraphStamps::bytes, cudaHostAllocDefault) != cudaSuccess)
    return nullptr;
  return std::make_unique<GraphStamps>(kernel, reinterpret_cast<CUdeviceptr>(device),
                                       static_cast<GraphStamps::Pair*>(host));
}

struct GraphMeters {
  std::mutex mutex;
  std::array<GraphMeter*, EventPool::pools_max> meters{};
};

// Constant-initialised and trivially destructible, as the registry of the pools.
constinit GraphMeters graph_meters;

}  // namespace

GraphMeter& GraphMeter::of(const Driver& driver, const EventPool& pool) {
  const std::lock_guard lock(graph_meters.mutex);
  GraphMeter*& meter = graph_meters.meters[pool.index()];
  if (meter == nullptr) meter = new GraphMeter(driver, pool.context());
  return *meter;
}

void GraphMeter::measure(const Driver& driver) {
  GraphRig rig;
  if (!rig.make(driver)) {
    rig.destroy(driver);
    return;
  }
  std::unique_ptr<GraphStamps> stamps = make_stamps(rig);
  if (stamps != nullptr) {
    // The first blocks, which nobody else has yet.
    static_assert(2 * SpinRig::kernels * sizeof(std::uint64_t) <= GraphStamps::bytes);
    rig.stamps = reinterpret_cast<std::uint64_t*>(stamps->start_of(0, 0));
  }
  if (rig.capture()) {
    // Takes the smallest of several readings, because other work on the GPU can only add time. The first
    // replay of each graph also uploads it, and its times are not read.
    double plain_ns = 0;
    double timed_ns = 0;
    Latency bias = bias_max;
    rig.replay(driver, rig.execs[0]);
    rig.replay(driver, rig.execs[1]);
    const auto smaller = [](double& least, double ns) {
      if (ns > 0 && (least == 0 || ns < least)) least = ns;
    };
    for (int i = 0; i < graph_readings; ++i) {
      smaller(plain_ns, rig.replay(driver, rig.execs[0]));
      const double ns = rig.replay(driver, rig.execs[1]);
      smaller(timed_ns, ns);
      const std::vector<BiasSample> samples = ns > 0 ? rig.samples(driver) : std::vector<BiasSample>{};
      if (!samples.empty()) bias = std::min(bias, bias_of(samples));
    }
    if (plain_ns > 0 && timed_ns > 0 && bias < bias_max) {
      bias_ns_.store(bias.count(), std::memory_order_relaxed);
      cost_ns_.store(std::max(0.0, timed_ns - plain_ns) / static_cast<double>(SpinRig::kernels),
                     std::memory_order_relaxed);
      stamps_.store(stamps.release(), std::memory_order_release);  // never destroyed
      measured_.store(true, std::memory_order_relaxed);
    }
  }
  rig.destroy(driver);
}

}  // namespace adaptive::cuda
