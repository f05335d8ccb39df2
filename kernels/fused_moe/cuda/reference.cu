#include "kernels/fused_moe/cuda/reference.hpp"

#include <cuda_bf16.h>
#include <cuda_fp8.h>

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

/// Levels of float8 whose magnitudes are at most 448: the exponents of normal and denormal numbers alike.
__global__ void fill_levels(unsigned char* data, long long size, DeviceType type, unsigned long long seed) {
  const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step) {
    const unsigned long long bits =
        mixed(seed + (static_cast<unsigned long long>(i) + 1) * 0x9e3779b97f4a7c15ull) >> 32;
    if (type == DeviceType::fp8_w8a8)
      data[i] = __nv_cvt_float_to_fp8(448.0f * (-1.0f + 2.0f * (static_cast<float>(bits) * 0x1p-32f)),
                                      __NV_SATFINITE, __NV_E4M3);
    else if (type == DeviceType::int4_w4a16)
      data[i] = static_cast<unsigned char>(bits);
    else
      data[i] = static_cast<unsigned char>(static_cast<int>(bits % 255) - 127);
  }
}

template <class T>
__global__ void fill_positive(T* data, long long size, float bound, unsigned long long seed) {
  const long long step = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += step)
    data[i] = static_cast<T>(
        bound *
        (0.5f + static_cast<float>(mixed(~seed + static_cast<unsigned long long>(i)) >> 40) * 0x1p-24f));
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

/// Weight [row][column] of a part of an expert; gate, up and down are parts. `parts` of them have `rows`
/// rows.
__device__ double weight_at(DeviceType type, const void* weights, const void* scales, long long part,
                            long long row, long long column, long long rows, long long columns) {
  const long long at = (part * rows + row) * columns + column;
  const auto* floats = static_cast<const float*>(scales);
  switch (type) {
    case DeviceType::bfloat16:
      return widened(static_cast<const bfloat16*>(weights)[at]);
    case DeviceType::fp8_w8a8: {
      const long long block = part * ((rows + 127) / 128) + row / 128;
      return static_cast<double>(static_cast<float>(static_cast<const __nv_fp8_e4m3*>(weights)[at])) *
             static_cast<double>(floats[block * ((columns + 127) / 128) + column / 128]);
    }
    case DeviceType::int8_w8a16:
    case DeviceType::int8_w8a8:
      return static_cast<double>(static_cast<const signed char*>(weights)[at]) *
             static_cast<double>(floats[part * rows + row]);
    case DeviceType::int4_w4a16:
      break;
  }
  const unsigned word = static_cast<const unsigned*>(weights)[at / 8];
  const int level = static_cast<int>(word >> (at % 8 / 2 * 4 + at % 2 * 16) & 15);
  return (level - 8) * widened(static_cast<const bfloat16*>(scales)[at / 64]);
}

/// What is left of a number that shares a scale with numbers up to `largest`.
__device__ double quantised(DeviceType type, float value, float largest) {
  if (type != DeviceType::fp8_w8a8 && type != DeviceType::int8_w8a8) return static_cast<double>(value);
  if (largest == 0.0f) return 0.0;
  const float level_max = type == DeviceType::fp8_w8a8 ? 448.0f : 127.0f;
  const float scaled = value * __fdiv_rn(level_max, largest);
  const float level =
      type == DeviceType::fp8_w8a8 ? static_cast<float>(__nv_fp8_e4m3(scaled)) : rintf(scaled);
  return static_cast<double>(level) * static_cast<double>(__fdiv_rn(largest, level_max));
}

/// The largest magnitude of those that share a scale with column `at` of a row; all lanes call it.
template <class T>
__device__ float largest_of(DeviceType type, const T* row, long long columns, long long at) {
  if (type != DeviceType::fp8_w8a8 && type != DeviceType::int8_w8a8) return 0.0f;
  const bool by_row = type == DeviceType::int8_w8a8;
  const long long end = by_row ? columns : min(columns, at / 128 * 128 + 128);
  float largest = 0.0f;
  for (long long i = (by_row ? 0 : at / 128 * 128) + threadIdx.x % 32; i < end; i += 32)
    largest = fmaxf(largest, fabsf(static_cast<float>(static_cast<bfloat16>(row[i]))));
  for (int offset = 16; offset > 0; offset /= 2)
    largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, offset));
  return largest;
}

/// h as the second product has it: rounded to bfloat16 and quantised. A warp has a row.
__global__ void quantise_h(Layer layer, int rows, double* h) {
  const long long step = static_cast<long long>(gridDim.x) * (blockDim.x / 32);
  for (long long row = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32; row < rows;
       row += step) {
    double* const begin = h + row * layer.intermediate_size;
    float largest = 0.0f;
    for (long long first = 0; first < layer.intermediate_size; first += 128) {
      if (first == 0 || layer.type == DeviceType::fp8_w8a8)
        largest = largest_of(layer.type, begin, layer.intermediate_size, first);
      __syncwarp();
      for (long long i = first + threadIdx.x % 32; i < min(first + 128LL, 0LL + layer.intermediate_size);
           i += 32)
        begin[i] = quantised(layer.type, static_cast<float>(static_cast<bfloat16>(begin[i])), largest);
      __syncwarp();
    }
  }
}

__global__ void exact_h(Layer layer, const int* tokens, int count, double* h) {
  const auto* x = static_cast<const bfloat16*>(layer.x);
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
    float largest = 0.0f;
    for (long long first = 0; first < depth; first += 32) {
      if (first == 0 || (layer.type == DeviceType::fp8_w8a8 && first % 128 == 0))
        largest = largest_of(layer.type, x + token * depth, depth, first);
      const long long i = first + lane;
      if (i >= depth) continue;
      const double value = quantised(layer.type, static_cast<float>(x[token * depth + i]), largest);
      const auto weight = [&](long long part) {
        return weight_at(layer.type, layer.up, layer.up_scales, part, item % width, i, width, depth);
      };
      gate += value * weight(expert * 2);
      up += value * weight(expert * 2 + 1);
    }
    gate = warp_sum(gate);
    up = warp_sum(up);
    if (lane == 0) h[item] = exact_activation(layer.activation, gate, up);
  }
}

__global__ void exact_y(Layer layer, const int* tokens, int count, const double* h, Exact* exact) {
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
        const double term =
            weight * h[(sample * layer.top_k + slot) * depth + i] *
            weight_at(layer.type, layer.down, layer.down_scales, expert, item % width, i, width, depth);
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

cudaError_t fill_weights(void* levels, std::int64_t bytes, void* scales, std::int64_t count, DeviceType type,
                         float bound, std::uint64_t seed, cudaStream_t stream) noexcept {
  const cudaError_t status =
      cuda::launch(fill_levels, {.blocks = blocks_of(bytes), .threads = threads_a_block}, stream,
                   static_cast<unsigned char*>(levels), bytes, type, seed);
  if (status != cudaSuccess) return status;
  const cuda::LaunchSize size = {.blocks = blocks_of(count), .threads = threads_a_block};
  if (type == DeviceType::int4_w4a16)
    return cuda::launch(fill_positive<bfloat16>, size, stream, static_cast<bfloat16*>(scales), count,
                        bound / 8, seed);
  return cuda::launch(fill_positive<float>, size, stream, static_cast<float*>(scales), count,
                      type == DeviceType::fp8_w8a8 ? bound / 448 : bound / 127, seed);
}

cudaError_t compute_exact(const Layer& layer, const int* tokens, int count, double* h, Exact* exact,
                          cudaStream_t stream) noexcept {
  const long long samples = count;
  const cudaError_t status = cuda::launch(
      exact_h,
      {.blocks = blocks_of(samples * layer.top_k * layer.intermediate_size * 32), .threads = threads_a_block},
      stream, layer, tokens, count, h);
  if (status != cudaSuccess) return status;
  if (layer.type == DeviceType::fp8_w8a8 || layer.type == DeviceType::int8_w8a8) {
    const long long rows = samples * layer.top_k;
    const cudaError_t quantised =
        cuda::launch(quantise_h, {.blocks = blocks_of(rows * 32), .threads = threads_a_block}, stream, layer,
                     static_cast<int>(rows), h);
    if (quantised != cudaSuccess) return quantised;
  }
  return cuda::launch(exact_y,
                      {.blocks = blocks_of(samples * layer.hidden_size * 32), .threads = threads_a_block},
                      stream, layer, tokens, count, static_cast<const double*>(h), exact);
}

}  // namespace adaptive::kernels::fused_moe
