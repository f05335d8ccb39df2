#include "cuda/bias/spin_rig.hpp"

#include "cuda/bias/spin.hpp"

namespace adaptive::inline v1::cuda {

bool SpinRig::make(const Driver& driver) {
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

SpinRig::~SpinRig() {
  if (stream != nullptr) cudaStreamDestroy(stream);
}

std::vector<BiasSample> SpinRig::samples(const Driver& driver) {
  std::array<std::uint64_t, kernels> ran{};
  if (cudaMemcpyAsync(ran.data(), ran_ns, sizeof(ran), cudaMemcpyDeviceToHost, stream) != cudaSuccess ||
      cudaStreamSynchronize(stream) != cudaSuccess)
    return {};
  std::vector<BiasSample> all;
  for (std::size_t i = 0; i < kernels; ++i) {
    float ms = 0;
    if (driver.event_elapsed_ms(&ms, start[i], end[i]) != CUDA_SUCCESS) return {};
    all.push_back({double{ms} * 1e6, static_cast<double>(ran[i])});
  }
  return all;
}

void SpinRig::destroy_events(const Driver& driver) {
  for (std::size_t i = 0; i < kernels; ++i) {
    if (start[i] != nullptr) driver.event_destroy(start[i]);
    if (end[i] != nullptr) driver.event_destroy(end[i]);
  }
}

}  // namespace adaptive::cuda
