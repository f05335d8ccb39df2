#include "cuda/bias/graph_meter.hpp"

#include <csignal>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/bias/estimate.hpp"
#include "cuda/bias/spin.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr std::size_t graph_kernels = 32;
constexpr std::uint64_t graph_kernel_ns = 10'000;
// Time for which a kernel holds the stream while the host launches a graph between two events.
constexpr std::uint64_t graph_plug_ns = 500'000;
constexpr int graph_readings = 5;

// The graph of some kernels, with and without events around each. The device memory is leaked on purpose:
// freeing it would wait for the whole device.
struct GraphRig {
  cudaStream_t stream = nullptr;
  std::uint64_t* ran_ns = nullptr;
  std::array<CUevent, graph_kernels> start{};
  std::array<CUevent, graph_kernels> end{};
  CUevent begins = nullptr;
  CUevent ends = nullptr;
  std::array<cudaGraphExec_t, 2> execs{};  // without and with events

  bool make(const Driver& driver) {
    int least = 0;
    int greatest = 0;
    // A stream of the highest priority: time spent waiting behind the program's kernels would count as cost.
    if (cudaDeviceGetStreamPriorityRange(&least, &greatest) != cudaSuccess ||
        cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, greatest) != cudaSuccess)
      return false;
    void* memory = nullptr;
    if (cudaMalloc(&memory, (graph_kernels + 1) * sizeof(std::uint64_t)) != cudaSuccess) return false;
    ran_ns = static_cast<std::uint64_t*>(memory);
    for (std::size_t i = 0; i < graph_kernels; ++i)
      if (driver.event_create(&start[i], CU_EVENT_DEFAULT) != CUDA_SUCCESS ||
          driver.event_create(&end[i], CU_EVENT_DEFAULT) != CUDA_SUCCESS)
        return false;
    if (driver.event_create(&begins, CU_EVENT_DEFAULT) != CUDA_SUCCESS ||
        driver.event_create(&ends, CU_EVENT_DEFAULT) != CUDA_SUCCESS)
      return false;
    // The first launch loads the kernel.
    if (launch_spin(1, ran_ns, stream) != cudaSuccess || cudaStreamSynchronize(stream) != cudaSuccess)
      return false;
    return capture(execs[0], false) && capture(execs[1], true);
  }

  bool capture(cudaGraphExec_t& exec, bool timed) {
    if (cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed) != cudaSuccess) return false;
    bool fine = true;
    for (std::size_t i = 0; i < graph_kernels; ++i) {
      if (timed) fine = fine && record(start[i]);
      fine = fine && launch_spin(graph_kernel_ns, ran_ns + i, stream) == cudaSuccess;
      if (timed) fine = fine && record(end[i]);
    }
    cudaGraph_t graph = nullptr;
    if (cudaStreamEndCapture(stream, &graph) != cudaSuccess || graph == nullptr) return false;
    fine = fine && cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess;
    cudaGraphDestroy(graph);
    return fine;
  }

  // An event of the driver is also one of the runtime.
  bool record(CUevent event) {
    return cudaEventRecordWithFlags(event, stream, cudaEventRecordExternal) == cudaSuccess;
  }

  // The time that a replay takes on a busy stream, in ns; 0 if a call failed or the stream ran dry.
  double replay(const Driver& driver, cudaGraphExec_t exec) {
    float ms = 0;
    if (launch_spin(graph_plug_ns, ran_ns + graph_kernels, stream) != cudaSuccess ||
        driver.event_record(begins, stream) != CUDA_SUCCESS || cudaGraphLaunch(exec, stream) != cudaSuccess ||
        driver.event_record(ends, stream) != CUDA_SUCCESS)
      return 0;
    const bool queued = driver.event_query(begins) == CUDA_ERROR_NOT_READY;
    if (cudaStreamSynchronize(stream) != cudaSuccess || !queued ||
        driver.event_elapsed_ms(&ms, begins, ends) != CUDA_SUCCESS)
      return 0;
    return double{ms} * 1e6;
  }

  // What the events of the latest replay have read.
  std::vector<BiasSample> samples(const Driver& driver) {
    std::array<std::uint64_t, graph_kernels> ran{};
    if (cudaMemcpyAsync(ran.data(), ran_ns, sizeof(ran), cudaMemcpyDeviceToHost, stream) != cudaSuccess ||
        cudaStreamSynchronize(stream) != cudaSuccess)
      return {};
    std::vector<BiasSample> all;
    for (std::size_t i = 0; i < graph_kernels; ++i) {
      float ms = 0;
      if (driver.event_elapsed_ms(&ms, start[i], end[i]) != CUDA_SUCCESS) return {};
      all.push_back({double{ms} * 1e6, static_cast<double>(ran[i])});
    }
    return all;
  }

  void destroy(const Driver& driver) {
    for (cudaGraphExec_t exec : execs)
      if (exec != nullptr) cudaGraphExecDestroy(exec);
    for (std::size_t i = 0; i < graph_kernels; ++i) {
      if (start[i] != nullptr) driver.event_destroy(start[i]);
      if (end[i] != nullptr) driver.event_destroy(end[i]);
    }
    if (begins != nullptr) driver.event_destroy(begins);
    if (ends != nullptr) driver.event_destroy(ends);
    if (stream != nullptr) cudaStreamDestroy(stream);
  }
};

}  // namespace

void GraphMeter::measure() noexcept {
  try {
    const CurrentContext current(driver_, context_);
    const RelaxedCapture relaxed(driver_);
    GraphRig rig;
    if (current && rig.make(driver_)) {
      // Takes the smallest of several readings, because other work on the GPU can only add time. The first
      // replay of each graph also uploads it, and its events are not read.
      double plain_ns = 0;
      double timed_ns = 0;
      Latency bias = bias_max;
      rig.replay(driver_, rig.execs[0]);
      rig.replay(driver_, rig.execs[1]);
      const auto smaller = [](double& least, double ns) {
        if (ns > 0 && (least == 0 || ns < least)) least = ns;
      };
      for (int i = 0; i < graph_readings; ++i) {
        smaller(plain_ns, rig.replay(driver_, rig.execs[0]));
        const double ns = rig.replay(driver_, rig.execs[1]);
        smaller(timed_ns, ns);
        const std::vector<BiasSample> samples = ns > 0 ? rig.samples(driver_) : std::vector<BiasSample>{};
        if (!samples.empty()) bias = std::min(bias, bias_of(samples));
      }
      if (plain_ns > 0 && timed_ns > 0 && bias < bias_max) {
        bias_ns_.store(bias.count(), std::memory_order_relaxed);
        cost_ns_.store(std::max(0.0, timed_ns - plain_ns) / static_cast<double>(graph_kernels),
                       std::memory_order_relaxed);
        measured_.store(true, std::memory_order_relaxed);
      }
    }
    rig.destroy(driver_);
  } catch (...) {
    // Out of memory: nothing is timed within graphs, as documented.
  }
  state_.store(State::done, std::memory_order_release);
}

void GraphMeter::start() noexcept {
  if (state_.load(std::memory_order_relaxed) != State::none) return;
  try {
    const std::lock_guard lock(mutex_);
    State expected = State::none;
    if (!state_.compare_exchange_strong(expected, State::running)) return;
    // Block all signals in the new thread: the program's threads handle the program's signals.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([this] { measure(); });
    } catch (...) {
      state_.store(State::done, std::memory_order_release);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  } catch (...) {
    state_.store(State::done, std::memory_order_release);
  }
}

void GraphMeter::wait() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) thread_.join();
  } catch (...) {
    // There is nothing to wait for.
  }
}

}  // namespace adaptive::cuda
