#include "kernels/fused_moe/cuda/reference.hpp"

#include <cuda_bf16.h>

#include "kernels/common/cuda/launch.cuh"

namespace adaptive::kernels::fused_moe {
namespace {

using bfloat16 = __nv_bfloat16;

constexpr int threads_a_block = 256;
constexpr long long blocks_most = 1 << 16;

__device__ unsigned long long mixed(unsigned long long z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

__global__ void fill_bounded(bfloat16* data, long long size, float bound, unsigned long long seed) {
  const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step) {
    const unsigned long long bits =
        mixed(seed + (static_cast<unsigned long long>(i) + 1) * 0x9e3779b97f4a7c15ull);
    data[i] = static_cast<bfloat16>(bound * (-1.0f + 2.0f * (static_cast<float>(bits >> 40) * 0x1p-24f)));
  }
}

__device__ double warp_sum(double value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, offset);
  return value;
}

__device__ double widened(bfloat16 value) {
  return static_cast<double>(static_cast<float>(value));
}

__device__ double exact_activation(Activation activation, double gate, double up) {
  if (activation == Activation::gelu_tanh)
    return 0.5 * gate * (1.0 + tanh(0.7978845608028654 * (gate + 0.044715 * gate * gate * gate))) * up;
  if (activation == Activation::swigluoai) {
    gate = gate > 7.0 ? 7.0 : gate;
    up = up > 7.0 ? 7.0 : up < -7.0 ? -7.0 : up;
    return gate / (1.0 + exp(-1.702 * gate)) * (up + 1.0);
  }
  return gate / (1.0 + exp(-gate)) * up;
}

__global__ void exact_h(Layer layer, const int* tokens, int count, double* h) {
  const auto* x = static_cast<const bfloat16*>(layer.x);
  const auto* w = static_cast<const bfloat16*>(layer.up);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const long long width = layer.intermediate_size;
  const long long depth = layer.hidden_size;
  const long long items = static_cast<long long>(count) * layer.top_k * width;
  const long long step = static_cast<long long>(gridDim.x) * (blockDim.x / 32);
  for (long long item = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32; item < items;
       item += step) {
    const long long slot = item / width % layer.top_k;
    const long long token = tokens[item / width / layer.top_k];
    const long long expert = layer.expert_map[layer.ids[token * layer.top_k + slot]];
    if (expert < 0) continue;
    double gate = 0.0;
    double up = 0.0;
    for (long long i = lane; i < depth; i += 32) {
      const double value = widened(x[token * depth + i]);
      gate += value * widened(w[((expert * 2) * width + item % width) * depth + i]);
      up += value * widened(w[((expert * 2 + 1) * width + item % width) * depth + i]);
    }
    gate = warp_sum(gate);
    up = warp_sum(up);
    if (lane == 0) h[item] = exact_activation(layer.activation, gate, up);
  }
}

__global__ void exact_y(Layer layer, const int* tokens, int count, const double* h, Exact* exact) {
  const auto* w = static_cast<const bfloat16*>(layer.down);
  const int lane = static_cast<int>(threadIdx.x % 32);
  const long long width = layer.hidden_size;
  const long long depth = layer.intermediate_size;
  const long long items = static_cast<long long>(count) * width;
  const long long step = static_cast<long long>(gridDim.x) * (blockDim.x / 32);
  for (long long item = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32; item < items;
       item += step) {
    const long long sample = item / width;
    double value = 0.0;
    double magnitude = 0.0;
    for (long long slot = 0; slot < layer.top_k; ++slot) {
      const long long pair = static_cast<long long>(tokens[sample]) * layer.top_k + slot;
      const long long expert = layer.expert_map[layer.ids[pair]];
      if (expert < 0) continue;
      const double weight = static_cast<double>(layer.weights[pair]);
      for (long long i = lane; i < depth; i += 32) {
        const double term = weight * h[(sample * layer.top_k + slot) * depth + i] *
                            widened(w[(expert * width + item % width) * depth + i]);
        value += term;
        magnitude += fabs(term);
      }
    }
    value = warp_sum(value);
    magnitude = warp_sum(magnitude);
    if (lane == 0) exact[item] = {value, magnitude};
  }
}

int blocks_of(long long work) {
  const long long blocks = (work + threads_a_block - 1) / threads_a_block;
  return static_cast<int>(blocks < 1 ? 1 : blocks < blocks_most ? blocks : blocks_most);
}

}  // namespace

cudaError_t fill_uniform(void* data, std::int64_t size, float bound, std::uint64_t seed,
                         cudaStream_t stream) noexcept {
  return cuda::launch(fill_bounded, {.blocks = blocks_of(size), .threads = threads_a_block}, stream,
                      static_cast<bfloat16*>(data), size, bound, seed);
}

cudaError_t compute_exact(const Layer& layer, const int* tokens, int count, double* h, Exact* exact,
                          cudaStream_t stream) noexcept {
  const long long samples = count;
  const cudaError_t status = cuda::launch(
      exact_h,
      {.blocks = blocks_of(samples * layer.top_k * layer.intermediate_size * 32), .threads = threads_a_block},
      stream, layer, tokens, count, h);
  if (status != cudaSuccess) return status;
  return cuda::launch(exact_y,
                      {.blocks = blocks_of(samples * layer.hidden_size * 32), .threads = threads_a_block},
                      stream, layer, tokens, count, static_cast<const double*>(h), exact);
}

}  // namespace adaptive::kernels::fused_moe
