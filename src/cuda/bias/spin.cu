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

__global__ void stamp(std::uint64_t* at) {
  *at = global_ns();
}

__global__ void clock_step(std::uint64_t* step_ns) {
  std::uint64_t least = ~std::uint64_t{0};
  std::uint64_t before = global_ns();
  for (int steps = 0; steps < 16;) {
    const std::uint64_t now = global_ns();
    if (now == before) continue;
    if (now - before < least) least = now - before;
    before = now;
    ++steps;
  }
  *step_ns = least;
}

}  // namespace

cudaError_t launch_spin(std::uint64_t ns, std::uint64_t* ran_ns, cudaStream_t stream) {
  void* arguments[] = {&ns, &ran_ns};
  return cudaLaunchKernel(spin_kernel(), dim3(1), dim3(1), arguments, 0, stream);
}

cudaError_t launch_stamp(std::uint64_t* at, cudaStream_t stream) {
  void* arguments[] = {&at};
  return cudaLaunchKernel(stamp_kernel(), dim3(1), dim3(1), arguments, 0, stream);
}

const void* stamp_kernel() noexcept {
  return reinterpret_cast<const void*>(&stamp);
}

cudaError_t launch_clock_step(std::uint64_t* step_ns, cudaStream_t stream) {
  void* arguments[] = {&step_ns};
  return cudaLaunchKernel(reinterpret_cast<const void*>(&clock_step), dim3(1), dim3(1), arguments, 0, stream);
}

const void* spin_kernel() noexcept {
  return reinterpret_cast<const void*>(&spin);
}

}  // namespace adaptive::cuda
