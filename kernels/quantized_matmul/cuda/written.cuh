#pragma once

#include <cstdint>

// Reads of numbers that the kernel before may have written, after wait_for_previous() (overlap.cuh). Ordinary
// reads see them then; those of the read-only path (ld.global.nc, __ldg) need not.

namespace adaptive::kernels::quantized_matmul {

__device__ inline float load_written(const float* from) {
  float value;
  asm volatile("ld.global.f32 %0, [%1];" : "=f"(value) : "l"(from));
  return value;
}

/// Copies a number asynchronously to shared memory. hopper::barrier_arrive_when_copied() tells when it is
/// there.
__device__ inline void copy_written(std::uint32_t to, const float* from) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to), "l"(from) : "memory");
}

__device__ inline float load_shared_float(std::uint32_t from) {
  float value;
  asm volatile("ld.shared.f32 %0, [%1];" : "=f"(value) : "r"(from) : "memory");
  return value;
}

}  // namespace adaptive::kernels::quantized_matmul
