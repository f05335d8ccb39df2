#pragma once

#include <cuda.h>

#include <cstdint>

#include "kernels/common/cuda/ampere.cuh"

// Hopper's instructions by name: barriers that count bytes, the copy engine, and the instructions around
// wgmma. Only for code of sm_90a.

namespace adaptive::kernels::hopper {

using ampere::Address;

/// The position in a ring of stages.
struct Ring {
  int stage = 0;
  int parity = 0;
  __device__ void advance(int stages) {
    if (++stage == stages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

__device__ inline void barrier_init(Address barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

/// Makes initialised barriers visible to the copy engine and to the other blocks of the cluster.
__device__ inline void fence_barrier_init() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ inline void barrier_expect(Address barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

__device__ inline void barrier_arrive(Address barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

/// Arrives at the same barrier of another block of the cluster. Does not order ordinary memory accesses: at
/// cluster scope that would wait until all of them have reached the second-level cache, in every step.
__device__ inline void barrier_arrive_remote(Address barrier, int rank) {
  asm volatile(
      "{\n\t.reg .b32 remote;\n\tmapa.shared::cluster.u32 remote, %0, %1;\n\t"
      "mbarrier.arrive.shared::cluster.b64 _, [remote];\n\t}" ::"r"(barrier),
      "r"(rank)
      : "memory");
}

/// Stores a number for another block of the cluster and then arrives at its barrier.
__device__ inline void send_remote(Address to, int value, Address barrier, int rank) {
  asm volatile(
      "{\n\t.reg .b32 remote;\n\tmapa.shared::cluster.u32 remote, %0, %3;\n\t"
      "st.shared::cluster.s32 [remote], %1;\n\tmapa.shared::cluster.u32 remote, %2, %3;\n\t"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote];\n\t}" ::"r"(to),
      "r"(value), "r"(barrier), "r"(rank)
      : "memory");
}

/// Waits for numbers that send_remote() sends.
__device__ inline void barrier_wait_remote(Address barrier, int parity) {
  asm volatile(
      "{\n\t.reg .pred done;\n\tAGAIN:\n\t"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 done, [%0], %1;\n\t@done bra.uni DONE;\n\t"
      "bra.uni AGAIN;\n\tDONE:\n\t}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

__device__ inline void barrier_wait(Address barrier, int parity) {
  asm volatile(
      "{\n\t.reg .pred done;\n\tAGAIN:\n\t"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n\t@done bra.uni DONE;\n\tbra.uni AGAIN;\n\t"
      "DONE:\n\t}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

__device__ inline void cluster_sync() {
  asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::
                   : "memory");
}

/// Synchronises the 128 threads of one warp group. `id` must not be 0, the barrier of __syncthreads().
__device__ inline void group_sync(int id) {
  asm volatile("bar.sync %0, 128;" ::"r"(id) : "memory");
}

__device__ inline void prefetch_map(const CUtensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// Copies a box of a matrix; its bytes count at `barrier` when they have arrived. Elements outside the matrix
/// are zeros and count as well.
__device__ inline void copy_box(Address to, const CUtensorMap* map, int column, int row, Address barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], "
      "[%4];" ::"r"(to),
      "l"(map), "r"(column), "r"(row), "r"(barrier)
      : "memory");
}

__device__ inline void copy_box(Address to, const CUtensorMap* map, int column, int row, int plane,
                                Address barrier) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], "
      "[%5];" ::"r"(to),
      "l"(map), "r"(column), "r"(row), "r"(plane), "r"(barrier)
      : "memory");
}

/// Loads 16 bytes that are read only once, if `exists`; otherwise the value does not change.
__device__ inline void load_once(uint4& value, const void* from, bool exists) {
  asm volatile(
      "{\n\t.reg .pred exists;\n\tsetp.ne.b32 exists, %5, 0;\n\t"
      "@exists ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];\n\t}"
      : "+r"(value.x), "+r"(value.y), "+r"(value.z), "+r"(value.w)
      : "l"(from), "r"(static_cast<int>(exists)));
}

__device__ inline void load_once(uint2& value, const void* from, bool exists) {
  asm volatile(
      "{\n\t.reg .pred exists;\n\tsetp.ne.b32 exists, %3, 0;\n\t"
      "@exists ld.global.nc.L1::no_allocate.L2::128B.v2.u32 {%0, %1}, [%2];\n\t}"
      : "+r"(value.x), "+r"(value.y)
      : "l"(from), "r"(static_cast<int>(exists)));
}

/// Arrives at the barrier when all copies that this thread has started with copy_piece() have completed.
__device__ inline void barrier_arrive_when_copied(Address barrier) {
  asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(barrier) : "memory");
}

/// Copies `bytes` bytes, which count at `barrier` when they have arrived. `bytes` and both addresses must be
/// multiples of 16.
__device__ inline void copy_bytes(Address to, const void* from, int bytes, Address barrier) {
  asm volatile(
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
      "l"(from), "r"(bytes), "r"(barrier)
      : "memory");
}

/// Copies a box to the same place of every block in `blocks`; the bytes count at the same barrier of each
/// block.
__device__ inline void copy_box_to_all(Address to, const CUtensorMap* map, int column, int row,
                                       Address barrier, std::uint16_t blocks) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], "
      "[%1, {%2, %3}], [%4], %5;" ::"r"(to),
      "l"(map), "r"(column), "r"(row), "r"(barrier), "h"(blocks)
      : "memory");
}

template <int registers>
__device__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

template <int registers>
__device__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}

__device__ inline void wgmma_fence() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

__device__ inline void wgmma_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int pending>
__device__ void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}

/// Prevents the compiler from moving reads of the sums across this point.
template <int count>
__device__ void pin(float (&sum)[count]) {
#pragma unroll
  for (int i = 0; i < count; ++i) asm volatile("" : "+f"(sum[i])::"memory");
}

template <int count>
__device__ void pin(int (&sum)[count]) {
#pragma unroll
  for (int i = 0; i < count; ++i) asm volatile("" : "+r"(sum[i])::"memory");
}

/// Describes rows of 128 bytes for wgmma. Eight rows form a pattern in which 16-byte pieces are permuted (the
/// copy engine's 128-byte swizzle). `from` may be 32, 64 or 96 bytes into the first row of a pattern.
__device__ inline std::uint64_t describe(Address from) {
  constexpr std::uint64_t swizzle_128 = std::uint64_t{1} << 62;
  constexpr std::uint64_t pattern_bytes = 1024 >> 4;
  return swizzle_128 | pattern_bytes << 32 | std::uint64_t{1} << 16 | (from & 0x3FFFF) >> 4;
}

/// The number to add to a description to move it by `bytes`.
__device__ constexpr std::uint64_t steps_of(int bytes) {
  return static_cast<std::uint64_t>(bytes) >> 4;
}

/// Stores four 8 × 8 matrices, each transposed; lane l has the address of row l % 8 of matrix l / 8.
__device__ inline void store_transposed(Address to, unsigned a, unsigned b, unsigned c, unsigned d) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(a),
               "r"(b), "r"(c), "r"(d)
               : "memory");
}

/// Does the same without transposition.
__device__ inline void store_matrices(Address to, unsigned a, unsigned b, unsigned c, unsigned d) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(a), "r"(b),
               "r"(c), "r"(d)
               : "memory");
}

__device__ inline void store_shared(Address to, uint4 value) {
  asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(value.x), "r"(value.y), "r"(value.z),
               "r"(value.w)
               : "memory");
}

__device__ inline void store_shared(Address to, int value) {
  asm volatile("st.shared.s32 [%0], %1;" ::"r"(to), "r"(value) : "memory");
}

__device__ inline int load_shared_int(Address from) {
  int value;
  asm volatile("ld.shared.s32 %0, [%1];" : "=r"(value) : "r"(from) : "memory");
  return value;
}

__device__ inline uint4 load_shared(Address from) {
  uint4 value;
  asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
               : "r"(from)
               : "memory");
  return value;
}

__device__ inline uint2 load_shared_two(Address from) {
  uint2 value;
  asm volatile("ld.shared.v2.u32 {%0, %1}, [%2];" : "=r"(value.x), "=r"(value.y) : "r"(from) : "memory");
  return value;
}

}  // namespace adaptive::kernels::hopper
