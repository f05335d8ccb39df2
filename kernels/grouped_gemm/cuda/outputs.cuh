#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/store_sums.cuh"

// What the kernels of this folder do with the sums of a tile. They are templates over a class like
// AllOutputs, so that other families can reuse them with another order of the weights' rows and another
// result.

namespace adaptive::kernels::grouped_gemm {

/// The rows of a tile are neighbouring rows of the weights, and each sum is stored.
struct AllOutputs {
  /// Number of sums from which one number of the result is made. A row of the result has n / sums numbers.
  static constexpr int sums = 1;
  /// Whether the kernel before has written the schedule or the rows' index.
  static constexpr bool waits_first = false;
  /// Whether the launch overlaps with the kernel before it, which has only written x: the schedule and the
  /// first weights may be read before that kernel ends.
  bool overlaps = false;

  /// The row of the weights, relative to row (first row of the tile) / sums, that is row `row` of the tile.
  __device__ static int weight_row(int row, int /*n*/) { return row; }

  /// Copies a box of the weights: a slab of the tile that begins at `column`.
  __device__ static void copy_weights(hopper::Address to, const CUtensorMap* map, int depth, int column,
                                      int expert, hopper::Address full) {
    hopper::copy_box(to, map, depth, column, expert, full);
  }

  /// Makes eight numbers of row `row` of the result from 8 * `sums` neighbouring sums from `column` on.
  template <class T>
  __device__ void put(const float (&total)[8], T* y, int row, int column, int n) const {
    __align__(16) T rounded[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) rounded[i] = static_cast<T>(total[i]);
    *reinterpret_cast<uint4*>(y + static_cast<long long>(row) * n + column) =
        *reinterpret_cast<const uint4*>(rounded);
  }

  /// Makes the first `rows` rows of the result from row `row` on from the sums of a warp group's wgmma; the
  /// other parameters are those of hopper::store_sums.
  template <class T, int tokens, int box>
  __device__ void store(const float (&sum)[tokens / 2], hopper::Address staging, T* y, int row, int rows,
                        int column, int n, int group, int& turn) const {
    hopper::store_sums<T, tokens, box>(sum, staging, y + static_cast<long long>(row) * n, rows, column, n,
                                       group, turn);
  }
};

}  // namespace adaptive::kernels::grouped_gemm
