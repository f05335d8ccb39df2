#include "kernels/common/cuda/element.cuh"
#include "kernels/dense_gemm/cuda/kernels.hpp"

// The kernel that runs if nothing else can: any shape, any type, not tuned.

namespace adaptive::kernels::dense_gemm {
namespace {

constexpr int tile = 32;

template <class Input, class Output>
__global__ void __launch_bounds__(tile* tile)
    plain(const Input* x, const Input* w, Output* y, int m, int n, int k) {
  __shared__ float x_tile[tile][tile + 1];
  __shared__ float w_tile[tile][tile + 1];
  const int column = static_cast<int>(blockIdx.x) * tile;
  const int tx = static_cast<int>(threadIdx.x);
  const int ty = static_cast<int>(threadIdx.y);
  // The hardware limits the number of blocks in y, so each block takes several rows of tiles.
  for (int row = static_cast<int>(blockIdx.y) * tile; row < m; row += static_cast<int>(gridDim.y) * tile) {
    float sum = 0.0f;
    for (int k0 = 0; k0 < k; k0 += tile) {
      const bool in_k = k0 + tx < k;
      const auto at = [&](int r) { return static_cast<long long>(r) * k + k0 + tx; };
      x_tile[ty][tx] = in_k && row + ty < m ? static_cast<float>(x[at(row + ty)]) : 0.0f;
      w_tile[ty][tx] = in_k && column + ty < n ? static_cast<float>(w[at(column + ty)]) : 0.0f;
      __syncthreads();
#pragma unroll
      for (int i = 0; i < tile; ++i) sum = fmaf(x_tile[ty][i], w_tile[tx][i], sum);
      __syncthreads();
    }
    if (row + ty < m && column + tx < n)
      y[static_cast<long long>(row + ty) * n + column + tx] = static_cast<Output>(sum);
  }
}

}  // namespace

cudaError_t launch_plain(const Sizes& sizes, const Operands& operands, cudaStream_t stream) noexcept {
  const auto tiles = [](std::int64_t size) { return static_cast<unsigned>((size + tile - 1) / tile); };
  const dim3 grid(tiles(sizes.n), tiles(sizes.m) < 65535u ? tiles(sizes.m) : 65535u);
  return with_type(sizes.type, [&](auto types) {
    using Types = decltype(types);
    using Input = typename Types::Input;
    using Output = typename Types::Output;
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = dim3(tile, tile);
    config.stream = stream;
    return cudaLaunchKernelEx(&config, plain<Input, Output>, static_cast<const Input*>(operands.x),
                              static_cast<const Input*>(operands.w), static_cast<Output*>(operands.y),
                              static_cast<int>(sizes.m), static_cast<int>(sizes.n),
                              static_cast<int>(sizes.k));
  });
}

}  // namespace adaptive::kernels::dense_gemm
