#include <cuda_bf16.h>

#include "kernels/common/cuda/launch.cuh"
#include "kernels/fused_moe/cuda/activation.cuh"
#include "kernels/fused_moe/cuda/kernels.hpp"

// The layer as it is defined: one warp computes one number of h, then one warp one number of y. It needs no
// alignment, runs any shape, and is not tuned.

namespace adaptive::kernels::fused_moe {
namespace {

using bfloat16 = __nv_bfloat16;

constexpr int plain_threads = 256;

__device__ float sum_over_warp(float value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, offset);
  return value;
}

__device__ long long first_item() {
  return (static_cast<long long>(blockIdx.x) * plain_threads + threadIdx.x) / 32;
}
__device__ long long stride() {
  return static_cast<long long>(gridDim.x) * (plain_threads / 32);
}

__global__ void __launch_bounds__(plain_threads) plain_up(Layer layer, float* h) {
  const auto* x = static_cast<const bfloat16*>(layer.x);
  const auto* w = static_cast<const bfloat16*>(layer.up);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const long long part = static_cast<long long>(layer.intermediate_size) * layer.hidden_size;
  const long long items = static_cast<long long>(layer.tokens) * layer.top_k * layer.intermediate_size;
  for (long long item = first_item(); item < items; item += stride()) {
    const long long pair = item / layer.intermediate_size;
    const int expert = layer.expert_map[layer.ids[pair]];
    if (expert < 0) continue;
    const bfloat16* from = x + pair / layer.top_k * layer.hidden_size;
    const bfloat16* row = w + expert * 2 * part + item % layer.intermediate_size * layer.hidden_size;
    float gate = 0.0f;
    float up = 0.0f;
    for (int i = lane; i < layer.hidden_size; i += 32) {
      const float value = static_cast<float>(from[i]);
      gate = fmaf(value, static_cast<float>(row[i]), gate);
      up = fmaf(value, static_cast<float>(row[part + i]), up);
    }
    gate = sum_over_warp(gate);
    up = sum_over_warp(up);
    if (lane == 0) h[item] = activated(layer.activation, gate, up);
  }
}

__global__ void __launch_bounds__(plain_threads) plain_down(Layer layer, const float* h) {
  const auto* w = static_cast<const bfloat16*>(layer.down);
  auto* y = static_cast<bfloat16*>(layer.y);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const long long items = static_cast<long long>(layer.tokens) * layer.hidden_size;
  for (long long item = first_item(); item < items; item += stride()) {
    const long long token = item / layer.hidden_size;
    float total = 0.0f;
    for (int slot = 0; slot < layer.top_k; ++slot) {
      const long long pair = token * layer.top_k + slot;
      const int expert = layer.expert_map[layer.ids[pair]];
      if (expert < 0) continue;
      const float* from = h + pair * layer.intermediate_size;
      const bfloat16* row =
          w + (static_cast<long long>(expert) * layer.hidden_size + item % layer.hidden_size) *
                  layer.intermediate_size;
      float sum = 0.0f;
      for (int i = lane; i < layer.intermediate_size; i += 32)
        sum = fmaf(from[i], static_cast<float>(row[i]), sum);
      total = fmaf(layer.weights[pair], sum_over_warp(sum), total);
    }
    if (lane == 0) y[item] = static_cast<bfloat16>(total);
  }
}

int blocks_for(long long items) {
  constexpr long long most = 1 << 16;
  const long long blocks = (items * 32 + plain_threads - 1) / plain_threads;
  return static_cast<int>(blocks < most ? blocks : most);
}

}  // namespace

cudaError_t launch_plain(const Layer& layer, float* h, cudaStream_t stream) noexcept {
  const long long pairs = static_cast<long long>(layer.tokens) * layer.top_k;
  const cudaError_t status = cuda::launch(
      plain_up, {.blocks = blocks_for(pairs * layer.intermediate_size), .threads = plain_threads}, stream,
      layer, h);
  if (status != cudaSuccess) return status;
  return cuda::launch(plain_down,
                      {.blocks = blocks_for(static_cast<long long>(layer.tokens) * layer.hidden_size),
                       .threads = plain_threads},
                      stream, layer, static_cast<const float*>(h));
}

}  // namespace adaptive::kernels::fused_moe
