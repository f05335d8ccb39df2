#pragma once

#include <cuda_runtime_api.h>

namespace adaptive::kernels::dense_gemm {

/// Loads 16 bytes of weights, which are read only once.
__device__ inline uint4 load_once(const void* from) {
  uint4 value;
  asm volatile("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "l"(from));
  return value;
}

}  // namespace adaptive::kernels::dense_gemm
