#include <cooperative_groups.h>

#include <utility>

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/dense_gemm/cuda/kernels.hpp"
#include "kernels/dense_gemm/cuda/load_once.cuh"

// For few tokens: the kernel reads the weights once, and that takes all its time. A block computes 16 or 32
// outputs of all tokens; its warps (and, with split, the blocks of a cluster) share k.
//
// The tensor cores do the arithmetic. There is not much of it, but one mma consumes two 16-byte loads and
// leaves the issue slots to further loads. The weights are its first operand (16 rows), the tokens the second
// (8 columns). The order of k within the fragments does not matter as long as it is the same in both: each
// lane takes 8 neighbouring k, one 16-byte load, as two mma steps.
//
// Sums are added in a fixed order, warp by warp and block by block, without atomics, so that the result
// always has the same bits.

namespace adaptive::kernels::dense_gemm {
namespace {

namespace cg = cooperative_groups;

constexpr int lane_k = 8;            // elements of a 16-byte load
constexpr int group_k = 4 * lane_k;  // elements along k that the four lanes of a row load together
constexpr int steps_in_flight = 4;   // 256 bytes of a row, which are two cache lines

__device__ uint4 load_kept(const void* from) {
  return __ldg(static_cast<const uint4*>(from));
}

template <class T, int token_tiles, int row_tiles, int warps, int split>
__global__ void __launch_bounds__(warps * 32)
    skinny(const T* __restrict__ x, const T* __restrict__ w, T* __restrict__ y, int m, int n, int k) {
  constexpr int rows = 16 * row_tiles;
  constexpr int tokens = 8 * token_tiles;
  __shared__ float partial[warps][tokens][rows + 1];

  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int group = lane / 4;    // row of a weight tile, and token of a token tile
  const int quarter = lane % 4;  // which 16 bytes of a step
  const int block = static_cast<int>(blockIdx.x) / split;
  const int rank = static_cast<int>(blockIdx.x) % split;
  const int row0 = block * rows;

  // Rows beyond the last row read the last row; their sums are not stored.
  const T* w_row[2 * row_tiles];
#pragma unroll
  for (int r = 0; r < 2 * row_tiles; ++r)
    w_row[r] = w + static_cast<long long>(min(row0 + 8 * r + group, n - 1)) * k + quarter * lane_k;
  const T* x_row[token_tiles];
#pragma unroll
  for (int t = 0; t < token_tiles; ++t)
    x_row[t] = x + static_cast<long long>(8 * t + group < m ? 8 * t + group : 0) * k + quarter * lane_k;

  float sum[row_tiles][token_tiles][4] = {};
  constexpr int chunk = steps_in_flight * group_k;
  const uint4 zero = make_uint4(0, 0, 0, 0);
  // All loads are issued before the first one is used. A condition on each load would put a branch around it,
  // so only the last chunk has conditions. Lanes without a token read the first token; their sums are not
  // stored.
  const auto advance = [&]<bool whole>(int k0) {
    uint4 w_value[steps_in_flight][2 * row_tiles];
    uint4 x_value[steps_in_flight][token_tiles];
#pragma unroll
    for (int s = 0; s < steps_in_flight; ++s) {
      const int at = k0 + s * group_k;
      const bool inside =
          whole || at + quarter * lane_k < k;  // k is a multiple of 8: a complete load or none
#pragma unroll
      for (int r = 0; r < 2 * row_tiles; ++r) w_value[s][r] = inside ? load_once(w_row[r] + at) : zero;
#pragma unroll
      for (int t = 0; t < token_tiles; ++t) x_value[s][t] = inside ? load_kept(x_row[t] + at) : zero;
    }
#pragma unroll
    for (int s = 0; s < steps_in_flight; ++s)
#pragma unroll
      for (int r = 0; r < row_tiles; ++r)
#pragma unroll
        for (int t = 0; t < token_tiles; ++t) {
          const uint4 low = w_value[s][2 * r];
          const uint4 high = w_value[s][2 * r + 1];
          const uint4 token = x_value[s][t];
          ampere::multiply<T>(sum[r][t], make_uint4(low.x, high.x, low.y, high.y), token.x, token.y);
          ampere::multiply<T>(sum[r][t], make_uint4(low.z, high.z, low.w, high.w), token.z, token.w);
        }
  };
  int k0 = (rank * warps + warp) * chunk;
  for (; k0 + chunk <= k; k0 += split * warps * chunk) advance.template operator()<true>(k0);
  if (k0 < k) advance.template operator()<false>(k0);

#pragma unroll
  for (int r = 0; r < row_tiles; ++r)
#pragma unroll
    for (int t = 0; t < token_tiles; ++t)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        partial[warp][8 * t + 2 * quarter + i % 2][16 * r + 8 * (i / 2) + group] = sum[r][t][i];
  __syncthreads();

  if constexpr (split == 1) {
    for (int i = static_cast<int>(threadIdx.x); i < tokens * rows; i += warps * 32) {
      const int token = i / rows;
      const int row = i % rows;
      if (token >= m || row0 + row >= n) continue;
      float total = 0.0f;
#pragma unroll
      for (int other = 0; other < warps; ++other) total += partial[other][token][row];
      y[static_cast<long long>(token) * n + row0 + row] = static_cast<T>(total);
    }
  } else {
#if __CUDA_ARCH__ >= 900
    // Each thread adds its elements over the warps, into the place of the first warp, which only this thread
    // reads.
    for (int i = static_cast<int>(threadIdx.x); i < tokens * rows; i += warps * 32) {
      float total = 0.0f;
#pragma unroll
      for (int other = 0; other < warps; ++other) total += partial[other][i / rows][i % rows];
      partial[0][i / rows][i % rows] = total;
    }
    const cg::cluster_group cluster = cg::this_cluster();
    cluster.sync();
    // Each block finishes its share of the outputs.
    for (int i = static_cast<int>(threadIdx.x) * split + rank; i < tokens * rows; i += warps * 32 * split) {
      const int token = i / rows;
      const int row = i % rows;
      if (token >= m || row0 + row >= n) continue;
      float total = 0.0f;
#pragma unroll
      for (int other = 0; other < split; ++other)
        total += *cluster.map_shared_rank(&partial[0][token][row], other);
      y[static_cast<long long>(token) * n + row0 + row] = static_cast<T>(total);
    }
    cluster.sync();  // no block may exit while others read its memory
#else
    __trap();  // `available` excludes devices and code without clusters
#endif
  }
}

template <class T, int token_tiles, std::size_t index>
cudaError_t start_skinny(const Sizes& sizes, const Operands& operands, cudaStream_t stream) {
  constexpr SkinnyConfig config = skinny_configs[index];
  const auto blocks = static_cast<int>((sizes.n + config.rows - 1) / config.rows * config.split);
  return cuda::launch(skinny<T, token_tiles, config.rows / 16, config.warps, config.split>,
                      {blocks, config.warps * 32, config.split}, stream, operands.x, operands.w, operands.y,
                      sizes.m, sizes.n, sizes.k);
}

template <class T, std::size_t... index>
cudaError_t start_one_skinny(std::size_t wanted, const Sizes& sizes, const Operands& operands,
                             cudaStream_t stream, std::index_sequence<index...>) {
  cudaError_t status = cudaErrorInvalidValue;
  const auto start_if = [&]<std::size_t i>() {
    if constexpr (skinny_configs[i].kernel == SkinnyConfig::Kernel::skinny) {
      if (wanted != i) return;
      status = sizes.m <= 8 ? start_skinny<T, 1, i>(sizes, operands, stream)
                            : start_skinny<T, 2, i>(sizes, operands, stream);
    }
  };
  (start_if.template operator()<index>(), ...);
  return status;
}

}  // namespace

cudaError_t launch_skinny(std::size_t index, const Sizes& sizes, const Operands& operands,
                          cudaStream_t stream) noexcept {
  if (skinny_configs[index].kernel == SkinnyConfig::Kernel::gemv)
    return launch_gemv(skinny_configs[index].rows, sizes, operands, stream);
  const auto all = std::make_index_sequence<skinny_configs.size()>{};
  return sizes.type == Type::float16 ? start_one_skinny<__half>(index, sizes, operands, stream, all)
                                     : start_one_skinny<__nv_bfloat16>(index, sizes, operands, stream, all);
}

}  // namespace adaptive::kernels::dense_gemm
