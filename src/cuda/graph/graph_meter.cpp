#include "cuda/graph/graph_meter.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "cuda/bias/estimate.hpp"
#include "cuda/bias/spin.hpp"
#include "cuda/bias/spin_rig.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr int graph_readings = 5;
constexpr std::uint64_t held_max_ns = 16 * SpinRig::plug_ns;

// The kernels of a rig as a graph, with and without events around each.
struct GraphRig {
  SpinRig spin;
  CUevent begins = nullptr;
  CUevent ends = nullptr;
  std::array<cudaGraphExec_t, 2> execs{};    // without and with events
  std::uint64_t held_ns = SpinRig::plug_ns;  // for how long the stream is kept busy; more after it ran dry

  bool make(const Driver& driver) {
    return spin.make(driver) && driver.event_create(&begins, CU_EVENT_DEFAULT) == CUDA_SUCCESS &&
           driver.event_create(&ends, CU_EVENT_DEFAULT) == CUDA_SUCCESS && capture(execs[0], false) &&
           capture(execs[1], true);
  }

  bool capture(cudaGraphExec_t& exec, bool timed) {
    if (cudaStreamBeginCapture(spin.stream, cudaStreamCaptureModeRelaxed) != cudaSuccess) return false;
    bool fine = true;
    for (std::size_t i = 0; i < SpinRig::kernels; ++i) {
      if (timed) fine = fine && record(spin.start[i]);
      fine = fine && launch_spin(SpinRig::kernel_ns, spin.ran_ns + i, spin.stream) == cudaSuccess;
      if (timed) fine = fine && record(spin.end[i]);
    }
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(spin.stream, &graph) != cudaSuccess || graph == nullptr) return false;
    fine = fine && cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess;
    cudaGraphDestroy(graph);
    return fine;
  }

  // An event of the driver is also one of the runtime.
  bool record(CUevent event) {
    return cudaEventRecordWithFlags(event, spin.stream, cudaEventRecordExternal) == cudaSuccess;
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
  if (rig.make(driver)) {
    // Takes the smallest of several readings, because other work on the GPU can only add time. The first
    // replay of each graph also uploads it, and its events are not read.
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
      const std::vector<BiasSample> samples = ns > 0 ? rig.spin.samples(driver) : std::vector<BiasSample>{};
      if (!samples.empty()) bias = std::min(bias, bias_of(samples));
    }
    if (plain_ns > 0 && timed_ns > 0 && bias < bias_max) {
      bias_ns_.store(bias.count(), std::memory_order_relaxed);
      cost_ns_.store(std::max(0.0, timed_ns - plain_ns) / static_cast<double>(SpinRig::kernels),
                     std::memory_order_relaxed);
      measured_.store(true, std::memory_order_relaxed);
    }
  }
  rig.destroy(driver);
}

}  // namespace adaptive::cuda
