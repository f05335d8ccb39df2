#pragma once

// Reads of numbers that the kernel before may have written, after wait_for_previous() (overlap.cuh). Ordinary
// reads see them then; those of the read-only path (ld.global.nc, __ldg) need not.

namespace adaptive::kernels::quantized_matmul {

__device__ inline float load_written(const float* from) {
  float value;
  asm volatile("ld.global.f32 %0, [%1];" : "=f"(value) : "l"(from));
  return value;
}

}  // namespace adaptive::kernels::quantized_matmul
