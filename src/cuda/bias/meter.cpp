#include "cuda/bias/meter.hpp"

#include <csignal>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "cuda/bias/estimate.hpp"
#include "cuda/bias/spin.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr std::size_t kernels = 32;
constexpr std::uint64_t kernel_ns = 10'000;
// Time for which a kernel holds the stream while the host enqueues the rest: 32 kernels and 64 events take it
// 0.2 ms.
constexpr std::uint64_t plug_ns = 500'000;
constexpr int attempts = 5;
constexpr int readings = 3;

// The resources of one measurement. The device memory is leaked on purpose: freeing it would wait for the
// whole device.
struct Rig {
  cudaStream_t stream = nullptr;
  std::uint64_t* ran_ns = nullptr;
  std::array<CUevent, kernels> start{};
  std::array<CUevent, kernels> end{};

  bool make(const Driver& driver) {
    int least = 0;
    int greatest = 0;
    // A stream of the highest priority: time spent waiting behind the program's kernels would count as bias.
    if (cudaDeviceGetStreamPriorityRange(&least, &greatest) != cudaSuccess ||
        cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, greatest) != cudaSuccess)
      return false;
    // Device memory: a kernel that writes to host memory does not end before its writes have arrived there.
    void* memory = nullptr;
    if (cudaMalloc(&memory, (kernels + 1) * sizeof(std::uint64_t)) != cudaSuccess) return false;
    ran_ns = static_cast<std::uint64_t*>(memory);
    for (std::size_t i = 0; i < kernels; ++i)
      if (driver.event_create(&start[i], CU_EVENT_DEFAULT) != CUDA_SUCCESS ||
          driver.event_create(&end[i], CU_EVENT_DEFAULT) != CUDA_SUCCESS)
        return false;
    // The first launch loads the kernel.
    return launch_spin(1, ran_ns, stream) == cudaSuccess && cudaStreamSynchronize(stream) == cudaSuccess;
  }

  ~Rig() {
    if (stream != nullptr) cudaStreamDestroy(stream);
  }

  // Returns no samples if a call failed, or if the stream ran empty before everything was enqueued.
  std::vector<BiasSample> run(const Driver& driver, std::uint64_t held_ns) {
    if (launch_spin(held_ns, ran_ns + kernels, stream) != cudaSuccess) return {};
    for (std::size_t i = 0; i < kernels; ++i)
      if (driver.event_record(start[i], stream) != CUDA_SUCCESS ||
          launch_spin(kernel_ns, ran_ns + i, stream) != cudaSuccess ||
          driver.event_record(end[i], stream) != CUDA_SUCCESS)
        return {};
    const bool queued = driver.event_query(start[0]) == CUDA_ERROR_NOT_READY;
    std::array<std::uint64_t, kernels> ran{};
    if (cudaMemcpyAsync(ran.data(), ran_ns, sizeof(ran), cudaMemcpyDeviceToHost, stream) != cudaSuccess ||
        cudaStreamSynchronize(stream) != cudaSuccess || !queued)
      return {};
    std::vector<BiasSample> samples;
    for (std::size_t i = 0; i < kernels; ++i) {
      float ms = 0;
      if (driver.event_elapsed_ms(&ms, start[i], end[i]) != CUDA_SUCCESS) return {};
      samples.push_back({double{ms} * 1e6, static_cast<double>(ran[i])});
    }
    return samples;
  }

  void destroy_events(const Driver& driver) {
    for (std::size_t i = 0; i < kernels; ++i) {
      if (start[i] != nullptr) driver.event_destroy(start[i]);
      if (end[i] != nullptr) driver.event_destroy(end[i]);
    }
  }
};

}  // namespace

void BiasMeter::measure() noexcept {
  try {
    const CurrentContext current(driver_, context_);
    const RelaxedCapture relaxed(driver_);
    Rig rig;
    if (current && rig.make(driver_)) {
      // Takes the smallest of three readings, because other work on the GPU can only add time. If the stream
      // ran empty, the next attempt holds it longer.
      Latency least = bias_max;
      std::uint64_t held_ns = plug_ns;
      for (int i = 0, read = 0; i < attempts && read < readings; ++i) {
        const std::vector<BiasSample> samples = rig.run(driver_, held_ns);
        if (samples.empty())
          held_ns *= 4;
        else
          ++read;
        if (!samples.empty()) least = std::min(least, bias_of(samples));
      }
      if (least < bias_max) ns_.store(least.count(), std::memory_order_relaxed);
    }
    rig.destroy_events(driver_);
  } catch (...) {
    // Out of memory: the bias stays zero, as documented.
  }
  state_.store(State::done, std::memory_order_release);
}

void BiasMeter::start() noexcept {
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

void BiasMeter::wait() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) thread_.join();
  } catch (...) {
    // There is nothing to wait for.
  }
}

}  // namespace adaptive::cuda
