#include <utility>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/dense_gemm/cuda/kernels.hpp"
#include "kernels/dense_gemm/cuda/load_once.cuh"

// For one to four tokens: a warp computes one or two outputs of all tokens. Its lanes are adjacent along k,
// so that a load of the warp reads 512 bytes of one row of the weights. The activations come from the
// first-level cache. Products are computed in float32, which at four tokens takes only a fraction of the time
// in which the weights arrive. A lane adds its terms in the order of k, and the sums of the lanes are added
// in a fixed tree, so that the result always has the same bits.

namespace adaptive::kernels::dense_gemm {
namespace {

constexpr int warps = 4;
constexpr int load_k = 8;  // elements of a 16-byte load
constexpr int warp_k = 32 * load_k;
constexpr int loads_in_flight = 8;

template <class T>
__device__ float multiply(float sum, uint4 w, uint4 x) {
  const unsigned w_bits[4] = {w.x, w.y, w.z, w.w};
  const unsigned x_bits[4] = {x.x, x.y, x.z, x.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float2 a = cuda::halves<T>(w_bits[i]);
    const float2 b = cuda::halves<T>(x_bits[i]);
    sum = fmaf(a.x, b.x, sum);
    sum = fmaf(a.y, b.y, sum);
  }
  return sum;
}

template <class T, int tokens, int rows>
__global__ void __launch_bounds__(warps * 32)
    gemv(const T* __restrict__ x, const T* __restrict__ w, T* __restrict__ y, int m, int n, int k) {
  constexpr int steps = loads_in_flight / rows;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int row0 = (static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / 32) * rows;
  if (row0 >= n) return;  // true for whole warps only
  const T* w_row[rows];
#pragma unroll
  for (int r = 0; r < rows; ++r) w_row[r] = w + static_cast<long long>(min(row0 + r, n - 1)) * k;
  const T* x_row[tokens];
#pragma unroll
  for (int t = 0; t < tokens; ++t) x_row[t] = x + static_cast<long long>(min(t, m - 1)) * k;

  float sum[rows][tokens] = {};
  // All loads are issued before the first one is used. A condition on each load would put a branch around it.
  const auto advance = [&]<int count>(int at) {
    uint4 w_value[count][rows];
#pragma unroll
    for (int s = 0; s < count; ++s)
#pragma unroll
      for (int r = 0; r < rows; ++r) w_value[s][r] = load_once(w_row[r] + at + s * warp_k);
#pragma unroll
    for (int s = 0; s < count; ++s)
#pragma unroll
      for (int t = 0; t < tokens; ++t) {
        const uint4 x_value = __ldg(reinterpret_cast<const uint4*>(x_row[t] + at + s * warp_k));
#pragma unroll
        for (int r = 0; r < rows; ++r) sum[r][t] = multiply<T>(sum[r][t], w_value[s][r], x_value);
      }
  };
  int k0 = 0;
  for (; k0 + steps * warp_k <= k; k0 += steps * warp_k)
    advance.template operator()<steps>(k0 + lane * load_k);
  // k is a multiple of 8, so that a lane has a complete load or none.
  for (k0 += lane * load_k; k0 < k; k0 += warp_k) advance.template operator()<1>(k0);
#pragma unroll
  for (int r = 0; r < rows; ++r)
#pragma unroll
    for (int t = 0; t < tokens; ++t) {
      float total = sum[r][t];
#pragma unroll
      for (int offset = 16; offset > 0; offset /= 2) total += __shfl_xor_sync(0xFFFFFFFFu, total, offset);
      if (lane == 0 && t < m && row0 + r < n)
        y[static_cast<long long>(t) * n + row0 + r] = static_cast<T>(total);
    }
}

template <class T, int tokens, int rows>
cudaError_t start(const Sizes& sizes, const Operands& operands, cudaStream_t stream) {
  const auto blocks = static_cast<int>((sizes.n + warps * rows - 1) / (warps * rows));
  return cuda::launch(gemv<T, tokens, rows>, {.blocks = blocks, .threads = warps * 32}, stream, operands.x,
                      operands.w, operands.y, sizes.m, sizes.n, sizes.k);
}

template <class T>
cudaError_t start_one(int rows, const Sizes& sizes, const Operands& operands, cudaStream_t stream) {
  const auto with_tokens = [&]<int tokens>() {
    return rows == 1 ? start<T, tokens, 1>(sizes, operands, stream)
                     : start<T, tokens, 2>(sizes, operands, stream);
  };
  if (sizes.m == 1) return with_tokens.template operator()<1>();
  if (sizes.m == 2) return with_tokens.template operator()<2>();
  return with_tokens.template operator()<4>();
}

}  // namespace

cudaError_t launch_gemv(int rows, const Sizes& sizes, const Operands& operands,
                        cudaStream_t stream) noexcept {
  return sizes.type == Type::float16 ? start_one<__half>(rows, sizes, operands, stream)
                                     : start_one<__nv_bfloat16>(rows, sizes, operands, stream);
}

}  // namespace adaptive::kernels::dense_gemm
