#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/store_sums.cuh"
#include "kernels/fused_moe/cuda/activation.cuh"

// The product of gate and up with the activation in its epilogue, for the kernels of grouped_gemm.
//
// The rows of a tile alternate between eight of gate and the eight of up for the same columns of h. Sixteen
// rows are what a warp multiplies at once, and each lane gets the sums of the rows r and r + 8: gate and up
// of the same number. So the activation needs nothing from other lanes, and the weights stay in memory as
// they are.

namespace adaptive::kernels::fused_moe {

/// Stores two 8 × 8 matrices, each transposed; the lanes 0 to 15 have the addresses of their rows.
__device__ inline void store_transposed(hopper::Address to, unsigned a, unsigned b) {
  asm volatile("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%0], {%1, %2};" ::"r"(to), "r"(a), "r"(b)
               : "memory");
}

/// Copies a box of a matrix of five dimensions.
__device__ inline void copy_interleaved_box(hopper::Address to, const CUtensorMap* map, int depth,
                                            int eight_rows, int expert, hopper::Address barrier) {
  asm volatile(
      "cp.async.bulk.tensor.5d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], "
      "[%1, {%2, %3, %3, %4, %5}], [%6];" ::"r"(to),
      "l"(map), "r"(depth), "r"(0), "r"(eight_rows), "r"(expert), "r"(barrier)
      : "memory");
}

/// See grouped_gemm::AllOutputs. n is twice the width of h, and h has rows of n / 2 numbers.
struct Gated {
  static constexpr int sums = 2;
  static constexpr bool waits_first = true;
  bool overlaps = false;
  Activation activation = Activation::silu;

  __device__ static int weight_row(int row, int n) { return row / 16 * 8 + row % 8 + row % 16 / 8 * (n / 2); }

  __device__ static void copy_weights(hopper::Address to, const CUtensorMap* map, int depth, int column,
                                      int expert, hopper::Address full) {
    copy_interleaved_box(to, map, depth, column / 16, expert, full);
  }

  template <class T>
  __device__ void put(const float (&total)[16], T* h, int row, int column, int n) const {
    __align__(16) T rounded[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) rounded[i] = static_cast<T>(activated(activation, total[i], total[8 + i]));
    *reinterpret_cast<uint4*>(h + static_cast<long long>(row) * (n / 2) + column / 2) =
        *reinterpret_cast<const uint4*>(rounded);
  }

  /// As hopper::store_sums. 64 rows of weights give 32 columns of h, so that a row in shared memory has 64
  /// bytes, of which a warp has 16. Two rows share the banks; hence a piece's place changes with every second
  /// row.
  template <class T, int tokens, int box>
  __device__ void store(const float (&sum)[tokens / 2], hopper::Address staging, T* h, int from_row, int rows,
                        int column, int n, int group, int& turn) const {
    constexpr int line_bytes = 64;
    constexpr int at_once = box < 32 ? box : 32;  // tokens that a warp stores at once
    static_assert(at_once == 16 || at_once == 32);
    const int thread = static_cast<int>(threadIdx.x) % 128;
    const int lane = thread % 32;
    const int warp = thread / 32;
    const int width = n / 2;
#pragma unroll
    for (int first = 0; first < tokens; first += box) {
      const hopper::Address buffer = staging + turn * box * 128;
      turn ^= 1;
#pragma unroll
      for (int token = 0; token < box; token += at_once) {
        const float* from = sum + (first + token) / 2;
        unsigned pairs[at_once / 8];
#pragma unroll
        for (int i = 0; i < at_once / 8; ++i)
          pairs[i] = hopper::pack<T>(activated(activation, from[4 * i], from[4 * i + 2]),
                                     activated(activation, from[4 * i + 1], from[4 * i + 3]));
        const int to_row = token + lane % at_once;
        const hopper::Address to = buffer + to_row * line_bytes + (warp ^ to_row / 2 % 4) * 16;
        if constexpr (at_once == 32)
          hopper::store_transposed(to, pairs[0], pairs[1], pairs[2], pairs[3]);
        else
          store_transposed(to, pairs[0], pairs[1]);
      }
      hopper::group_sync(1 + group);
      const int piece = thread % 4;
#pragma unroll
      for (int token = 0; token < box; token += 32) {
        const int row = token + thread / 4;
        if (row < box && first + row < rows && column / 2 + 8 * piece < width) {
          const uint4 value = hopper::load_shared(buffer + row * line_bytes + (piece ^ row / 2 % 4) * 16);
          *reinterpret_cast<uint4*>(h + static_cast<long long>(from_row + first + row) * width + column / 2 +
                                    8 * piece) = value;
        }
      }
    }
  }
};

}  // namespace adaptive::kernels::fused_moe
