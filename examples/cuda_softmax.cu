#include "cuda_softmax.hpp"

namespace softmax {
namespace {

struct Max {
  __device__ static float identity() { return -INFINITY; }
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

struct Sum {
  __device__ static float identity() { return 0.0F; }
  __device__ float operator()(float a, float b) const { return a + b; }
};

// Reduces over the threads of one row. Every thread gets the result.
template <int threads, class F>
__device__ float reduce(float value, F f, float* shared) {
  for (int step = 16; step > 0; step /= 2) value = f(value, __shfl_xor_sync(0xFFFFFFFFU, value, step));
  if constexpr (threads > 32) {
    __syncthreads();  // the previous round may still be read
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = value;
    __syncthreads();
    value = threadIdx.x % 32 < threads / 32 ? shared[threadIdx.x % 32] : F::identity();
    for (int step = 16; step > 0; step /= 2) value = f(value, __shfl_xor_sync(0xFFFFFFFFU, value, step));
  }
  return value;
}

// A block computes one row with `threads` threads, or four rows with one warp each.
template <int threads>
__global__ void softmax_kernel(int rows, int columns, const float* in, float* out) {
  __shared__ float shared[32];
  const int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y);
  if (row >= rows) return;  // a whole warp, or the whole block
  const std::size_t begin = static_cast<std::size_t>(row) * static_cast<std::size_t>(columns);
  in += begin;
  out += begin;
  const int first = static_cast<int>(threadIdx.x);

  float largest = -INFINITY;
  for (int c = first; c < columns; c += threads) largest = fmaxf(largest, in[c]);
  largest = reduce<threads>(largest, Max{}, shared);
  float sum = 0;
  for (int c = first; c < columns; c += threads) sum += __expf(in[c] - largest);
  const float scale = 1.0F / reduce<threads>(sum, Sum{}, shared);
  for (int c = first; c < columns; c += threads) out[c] = __expf(in[c] - largest) * scale;
}

template <int threads>
cudaError_t launch_with(const Problem& p, cudaStream_t stream) {
  constexpr int rows_of_block = threads == 32 ? 4 : 1;
  const dim3 block(threads, rows_of_block);
  const dim3 grid(static_cast<unsigned>((p.rows + rows_of_block - 1) / rows_of_block));
  softmax_kernel<threads><<<grid, block, 0, stream>>>(p.rows, p.columns, p.in, p.out);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch(std::uint32_t variant, const Problem& problem, cudaStream_t stream) {
  constexpr cudaError_t (*variants[])(const Problem&, cudaStream_t) = {
      launch_with<threads_of_row[0]>, launch_with<threads_of_row[1]>, launch_with<threads_of_row[2]>,
      launch_with<threads_of_row[3]>, launch_with<threads_of_row[4]>};
  return variants[variant](problem, stream);
}

}  // namespace softmax
