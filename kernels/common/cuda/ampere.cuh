#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>
#include <type_traits>

// Ampere's instructions by name, which later devices have as well: asynchronous copies to shared memory, and
// the instructions around mma.

namespace adaptive::kernels::ampere {

/// An address in the window of shared memory (__cvta_generic_to_shared).
using Address = std::uint32_t;

/// Copies 16 bytes asynchronously; the copy bypasses the first-level cache.
__device__ inline void copy_piece(Address to, const void* from) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

/// Does the same, or writes zeros if `exists` is false.
__device__ inline void copy_piece_or_zeros(Address to, const void* from, bool exists) {
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from),
               "r"(exists ? 16 : 0)
               : "memory");
}

/// Loads four 8 × 8 matrices as mma's operands; lane l has the address of row l % 8 of matrix l / 8.
__device__ inline uint4 load_matrices(Address from) {
  uint4 value;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "r"(from)
               : "memory");
  return value;
}

/// Computes sum[16][8] += a[16][16] * b[16][8] by one warp; each lane has its part in the layout of
/// mma.m16n8k16.
template <class T>
__device__ void multiply(float (&sum)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  if constexpr (std::is_same_v<T, __half>)
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// Does the same with `a` as load_matrices() returns it.
template <class T>
__device__ void multiply(float (&sum)[4], uint4 a, std::uint32_t b0, std::uint32_t b1) {
  const std::uint32_t each[4] = {a.x, a.y, a.z, a.w};
  multiply<T>(sum, each, b0, b1);
}

}  // namespace adaptive::kernels::ampere
