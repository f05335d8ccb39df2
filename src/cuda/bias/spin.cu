#include "cuda/bias/spin.hpp"

namespace adaptive::inline v1::cuda {
namespace {

__device__ std::uint64_t global_ns() {
  std::uint64_t now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
  return now;
}

__global__ void spin(std::uint64_t ns, std::uint64_t* ran_ns) {
  const std::uint64_t begin = global_ns();
  std::uint64_t now = begin;
  while (now - begin < ns) now = global_ns();
  if (ran_ns != nullptr) *ran_ns = now - begin;
}

}  // namespace

cudaError_t launch_spin(std::uint64_t ns, std::uint64_t* ran_ns, cudaStream_t stream) {
  void* arguments[] = {&ns, &ran_ns};
  return cudaLaunchKernel(spin_kernel(), dim3(1), dim3(1), arguments, 0, stream);
}

const void* spin_kernel() noexcept {
  return reinterpret_cast<const void*>(&spin);
}

}  // namespace adaptive::cuda
