#include <cuda_bf16.h>

#include "kernels/common/cuda/element.cuh"
#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/launch.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/store_sums.cuh"
#include "kernels/fused_moe/cuda/activation.cuh"
#include "kernels/fused_moe/cuda/kernels.hpp"

// The kernels that treat each row alike: sorting, the activation apart, and the weighted sum. A thread has
// eight neighbouring numbers, which are 16 bytes.

namespace adaptive::kernels::fused_moe {
namespace {

using bfloat16 = __nv_bfloat16;

constexpr int piece = 8;
constexpr int threads_max = 256;

/// Number of rows that there are, of all experts here.
__device__ int rows_of(const Alignment& a) {
  return cuda::load_fresh(a.ends + a.experts - 1);
}

__device__ void widen(uint4 from, float (&to)[piece]) {
  const unsigned words[4] = {from.x, from.y, from.z, from.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const float2 two = cuda::halves<bfloat16>(words[i]);
    to[2 * i] = two.x;
    to[2 * i + 1] = two.y;
  }
}

__device__ uint4 narrow(const float (&from)[piece]) {
  return {hopper::pack<bfloat16>(from[0], from[1]), hopper::pack<bfloat16>(from[2], from[3]),
          hopper::pack<bfloat16>(from[4], from[5]), hopper::pack<bfloat16>(from[6], from[7])};
}

__global__ void __launch_bounds__(threads_max) sort_rows(Alignment a, const uint4* x, uint4* to, int pieces) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const int row = static_cast<int>(blockIdx.x);
  if (row >= rows_of(a)) return;
  const uint4* from = x + static_cast<long long>(cuda::load_fresh(a.token_of + row)) * pieces;
  uint4* const begin = to + static_cast<long long>(row) * pieces;
  for (int i = static_cast<int>(threadIdx.x); i < pieces; i += static_cast<int>(blockDim.x))
    begin[i] = from[i];
}

__global__ void __launch_bounds__(threads_max)
    activate(Alignment a, const uint4* both, uint4* h, int pieces, Activation activation) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const int row = static_cast<int>(blockIdx.x);
  if (row >= rows_of(a)) return;
  const uint4* from = both + static_cast<long long>(row) * 2 * pieces;
  uint4* const begin = h + static_cast<long long>(row) * pieces;
  for (int i = static_cast<int>(threadIdx.x); i < pieces; i += static_cast<int>(blockDim.x)) {
    uint4 words[2] = {};
    hopper::load_once(words[0], from + i, true);
    hopper::load_once(words[1], from + pieces + i, true);
    float gate[piece];
    float up[piece];
    widen(words[0], gate);
    widen(words[1], up);
#pragma unroll
    for (int j = 0; j < piece; ++j) gate[j] = activated(activation, gate[j], up[j]);
    begin[i] = narrow(gate);
  }
}

// The rows of `together` slots are loaded before the first is added, so that the loads do not wait for each
// other.
__global__ void __launch_bounds__(threads_max)
    weighted_sum(Alignment a, const uint4* z, uint4* y, int pieces) {
  constexpr int together = 4;
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const long long token = blockIdx.x;
  for (int at = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x); at < pieces;
       at += static_cast<int>(gridDim.y * blockDim.x)) {
    float sum[piece] = {};
    for (int first = 0; first < a.top_k; first += together) {
      uint4 words[together] = {};
      float weight[together];
#pragma unroll
      for (int i = 0; i < together; ++i) {
        const bool exists = first + i < a.top_k;
        const long long pair = token * a.top_k + first + i;
        const int row = exists ? cuda::load_fresh(a.row_of + pair) : -1;
        weight[i] = exists ? a.weights[pair] : 0.0f;
        hopper::load_once(words[i], z + static_cast<long long>(max(row, 0)) * pieces + at, row >= 0);
      }
#pragma unroll
      for (int i = 0; i < together; ++i) {
        float numbers[piece];
        widen(words[i], numbers);
#pragma unroll
        for (int j = 0; j < piece; ++j) sum[j] = fmaf(weight[i], numbers[j], sum[j]);
      }
    }
    y[token * pieces + at] = narrow(sum);
  }
}

/// Threads for a row of so many pieces: whole warps, at most threads_max.
int threads_for(int pieces) {
  const int warps = (pieces + 31) / 32;
  return 32 * (warps < threads_max / 32 ? warps : threads_max / 32);
}

}  // namespace

cudaError_t launch_sort_rows(const Alignment& alignment, const void* x, void* to, int width, bool overlaps,
                             cudaStream_t stream) noexcept {
  const int pieces = width / piece;
  const cuda::LaunchSize size = {
      .blocks = alignment.pairs, .threads = threads_for(pieces), .overlaps = overlaps};
  return cuda::launch(sort_rows, size, stream, alignment, static_cast<const uint4*>(x),
                      static_cast<uint4*>(to), pieces);
}

cudaError_t launch_activate(const Alignment& alignment, const void* both, void* h, int width,
                            Activation activation, bool overlaps, cudaStream_t stream) noexcept {
  const int pieces = width / piece;
  const cuda::LaunchSize size = {
      .blocks = alignment.pairs, .threads = threads_for(pieces), .overlaps = overlaps};
  return cuda::launch(activate, size, stream, alignment, static_cast<const uint4*>(both),
                      static_cast<uint4*>(h), pieces, activation);
}

cudaError_t launch_weighted_sum(const Alignment& alignment, const void* z, void* y, int tokens, int width,
                                bool overlaps, cudaStream_t stream) noexcept {
  const int pieces = width / piece;
  const int threads = threads_for(pieces);
  const cuda::LaunchSize size = {.blocks = tokens,
                                 .threads = threads,
                                 .grid_rows = min((pieces + threads - 1) / threads, 1024),
                                 .overlaps = overlaps};
  return cuda::launch(weighted_sum, size, stream, alignment, static_cast<const uint4*>(z),
                      static_cast<uint4*>(y), pieces);
}

}  // namespace adaptive::kernels::fused_moe
