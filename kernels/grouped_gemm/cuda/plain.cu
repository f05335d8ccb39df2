#include "kernels/common/cuda/element.cuh"
#include "kernels/grouped_gemm/cuda/kernels.hpp"

// The kernel that runs if nothing else can: any shape, not tuned. And a kernel that sorts rows for kernels
// that need sorted rows.

namespace adaptive::kernels::grouped_gemm {
namespace {

constexpr int tile = 32;

/// The first expert whose rows end beyond `row`.
__device__ int expert_of(const int* ends, int experts, int row) {
  int low = 0;
  int high = experts - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (ends[middle] > row)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

// The rows of a tile may belong to several experts, whose weights are then used in turn.
template <class T>
__global__ void __launch_bounds__(tile* tile)
    plain(const T* x, const T* w, T* y, const int* ends, const int* row_of, int tokens, int n, int k,
          int experts) {
  __shared__ float x_tile[tile][tile + 1];
  __shared__ float w_tile[tile][tile + 1];
  const int column = static_cast<int>(blockIdx.x) * tile;
  const int tx = static_cast<int>(threadIdx.x);
  const int ty = static_cast<int>(threadIdx.y);
  // The hardware limits the number of blocks in y, so each block takes several tiles of rows.
  for (int first = static_cast<int>(blockIdx.y) * tile; first < tokens;
       first += static_cast<int>(gridDim.y) * tile) {
    const int row = first + ty;
    const int own = row < tokens ? expert_of(ends, experts, row) : -1;
    const int from = row < tokens && row_of != nullptr ? row_of[row] : row;
    const int last = expert_of(ends, experts, min(first + tile, tokens) - 1);
    float sum = 0.0f;
    for (int expert = expert_of(ends, experts, first); expert <= last; ++expert) {
      if (ends[expert] == (expert == 0 ? 0 : ends[expert - 1])) continue;
      for (int k0 = 0; k0 < k; k0 += tile) {
        const bool in_k = k0 + tx < k;
        x_tile[ty][tx] =
            in_k && row < tokens ? static_cast<float>(x[static_cast<long long>(from) * k + k0 + tx]) : 0.0f;
        const long long w_row = static_cast<long long>(expert) * n + column + ty;
        w_tile[ty][tx] = in_k && column + ty < n ? static_cast<float>(w[w_row * k + k0 + tx]) : 0.0f;
        __syncthreads();
        if (own == expert) {
#pragma unroll
          for (int i = 0; i < tile; ++i) sum = fmaf(x_tile[ty][i], w_tile[tx][i], sum);
        }
        __syncthreads();
      }
    }
    if (row < tokens && column + tx < n)
      y[static_cast<long long>(row) * n + column + tx] = static_cast<T>(sum);
  }
}

// One block copies one row; each thread copies 16 bytes at a time.
__global__ void gather(const uint4* x, uint4* to, const int* row_of, int pieces) {
  const uint4* from = x + static_cast<long long>(row_of[blockIdx.x]) * pieces;
  uint4* row = to + static_cast<long long>(blockIdx.x) * pieces;
  for (int i = static_cast<int>(threadIdx.x); i < pieces; i += static_cast<int>(blockDim.x)) row[i] = from[i];
}

template <class... Parameters, class... Arguments>
cudaError_t start(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t stream,
                  Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

template <class T>
cudaError_t start_plain(const DeviceOperands& operands, cudaStream_t stream) {
  const auto tiles = [](int size) { return static_cast<unsigned>((size + tile - 1) / tile); };
  const dim3 grid(tiles(operands.n), tiles(operands.tokens) < 65535u ? tiles(operands.tokens) : 65535u);
  return start(plain<T>, grid, dim3(tile, tile), stream, static_cast<const T*>(operands.x),
               static_cast<const T*>(operands.w), static_cast<T*>(operands.y), operands.ends, operands.row_of,
               operands.tokens, operands.n, operands.k, operands.experts);
}

}  // namespace

cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept {
  return operands.type == cuda::Element::float16 ? start_plain<__half>(operands, stream)
                                                 : start_plain<__nv_bfloat16>(operands, stream);
}

cudaError_t launch_gather(const DeviceOperands& operands, void* to, cudaStream_t stream) noexcept {
  return start(gather, dim3(static_cast<unsigned>(operands.tokens)), dim3(128), stream,
               static_cast<const uint4*>(operands.x), static_cast<uint4*>(to), operands.row_of,
               operands.k / 8);
}

}  // namespace adaptive::kernels::grouped_gemm
