#pragma once

#include <cuda_bf16.h>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/store_sums.cuh"

// The product of down whose epilogue adds the weighted rows to y, for the kernels of grouped_gemm. y is
// bfloat16 and must be zero before. The additions are atomic and round y each time, in an order that is
// different in each launch.

namespace adaptive::kernels::fused_moe {

/// Adds eight neighbouring numbers. Requires compute capability 9.0.
__device__ inline void add_eight(__nv_bfloat16* to, uint4 numbers) {
#if __CUDA_ARCH__ >= 900
  asm volatile("red.global.add.noftz.v4.bf16x2 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(numbers.x),
               "r"(numbers.y), "r"(numbers.z), "r"(numbers.w)
               : "memory");
#else
  __trap();  // `available` excludes such code
#endif
}

/// See grouped_gemm::AllOutputs; y has a row for each token, not for each row of h.
struct Added {
  static constexpr int sums = 1;
  static constexpr bool waits_first = false;
  bool overlaps = false;
  const int* token_of = nullptr;     ///< the token of each row
  const float* weight_of = nullptr;  ///< the router's weight of each row

  __device__ static int weight_row(int row, int /*n*/) { return row; }

  __device__ static void copy_weights(hopper::Address to, const CUtensorMap* map, int depth, int column,
                                      int expert, hopper::Address full) {
    hopper::copy_box(to, map, depth, column, expert, full);
  }

  template <class T>
  __device__ void put(const float (&total)[8], T* y, int row, int column, int n) const {
    const float weight = __ldcg(weight_of + row);
    add_eight(y + static_cast<long long>(__ldcg(token_of + row)) * n + column,
              {hopper::pack<T>(weight * total[0], weight * total[1]),
               hopper::pack<T>(weight * total[2], weight * total[3]),
               hopper::pack<T>(weight * total[4], weight * total[5]),
               hopper::pack<T>(weight * total[6], weight * total[7])});
  }

  template <class T, int tokens, int box>
  __device__ void store(const float (&sum)[tokens / 2], hopper::Address staging, T* y, int from_row, int rows,
                        int column, int n, int group, int& turn) const {
    hopper::put_sums<T, tokens, box>(sum, staging, rows, column, n, group, turn,
                                     [&](int row, int from, uint4 value) {
                                       const unsigned words[4] = {value.x, value.y, value.z, value.w};
                                       float total[8];
#pragma unroll
                                       for (int i = 0; i < 4; ++i) {
                                         const float2 two = cuda::halves<T>(words[i]);
                                         total[2 * i] = two.x;
                                         total[2 * i + 1] = two.y;
                                       }
                                       put<T>(total, y, from_row + row, from, n);
                                     });
  }
};

}  // namespace adaptive::kernels::fused_moe
