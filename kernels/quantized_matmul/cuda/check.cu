#include "kernels/quantized_matmul/cuda/check.hpp"

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include "kernels/common/cuda/launch.cuh"

namespace adaptive::kernels::quantized_matmul {
namespace {

constexpr int threads_of_check = 256;

__device__ unsigned long long mixed(unsigned long long z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/// Uniform in [0, 1).
__device__ float random_at(unsigned long long seed, long long i) {
  return static_cast<float>(mixed(seed + (static_cast<unsigned long long>(i) + 1) * 0x9e3779b97f4a7c15ull) >>
                            40) *
         0x1p-24f;
}

__device__ long long thread_of_grid() {
  return static_cast<long long>(blockIdx.x) * threads_of_check + threadIdx.x;
}

__global__ void fill_with_levels(std::uint8_t* w, long long size, bool is_float8, unsigned long long seed) {
  const long long stride = static_cast<long long>(gridDim.x) * threads_of_check;
  for (long long i = thread_of_grid(); i < size; i += stride) {
    const float value = random_at(seed, i);
    if (is_float8)
      w[i] = __nv_fp8_e4m3(-448.0f + 896.0f * value).__x;
    else
      w[i] = static_cast<std::uint8_t>(static_cast<std::int8_t>(static_cast<int>(255.0f * value) - 127));
  }
}

__global__ void spread(__nv_bfloat16* x, int tokens, int columns) {
  const long long stride = static_cast<long long>(gridDim.x) * threads_of_check;
  for (long long i = thread_of_grid(); i < static_cast<long long>(tokens) * columns; i += stride)
    x[i] =
        static_cast<__nv_bfloat16>(ldexpf(static_cast<float>(x[i]), static_cast<int>(i / columns % 5) - 2));
}

__global__ void fill_with_scales(float* scales, long long size, float usual, unsigned long long seed) {
  const long long i = thread_of_grid();
  if (i < size) scales[i] = usual * (0.5f + 1.5f * random_at(seed, i));
}

__global__ void largest_of_all(const __nv_bfloat16* x, long long size, unsigned* largest) {
  const long long stride = static_cast<long long>(gridDim.x) * threads_of_check;
  float found = 0;
  for (long long i = thread_of_grid(); i < size; i += stride)
    found = fmaxf(found, fabsf(static_cast<float>(x[i])));
  if (found > 0) atomicMax(largest, __float_as_uint(found) >> 16);
}

__device__ double warp_sum(double value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, offset);
  return value;
}

__device__ float warp_max(float value) {
  for (int offset = 16; offset > 0; offset /= 2)
    value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, offset));
  return value;
}

// One warp computes one element.
__global__ void expect_quantised(const __nv_bfloat16* x, const unsigned* largest_of_x, const DeviceOperands o,
                                 cuda::Expected* expected, long long count) {
  const long long at = thread_of_grid() / 32;
  const int lane = static_cast<int>(threadIdx.x % 32);
  if (at >= count) return;
  const int k = o.in_features;
  const long long token = expected[at].x_row;
  const long long row = expected[at].w_row;
  const bool is_float8 = o.types == Types::fp8_w8a8;
  const bool by_block = o.scales == Scales::block128;
  double value = 0, magnitude = 0;
  for (int begin = 0; begin < k; begin += by_block ? 128 : k) {
    const int end = by_block ? min(begin + 128, k) : k;
    float largest = 0;
    if (o.scales == Scales::tensor) {
      largest = __uint_as_float(*largest_of_x << 16);
    } else {
      for (int i = begin + lane; i < end; i += 32)
        largest = fmaxf(largest, fabsf(static_cast<float>(x[token * k + i])));
      largest = warp_max(largest);
    }
    const float level_max = is_float8 ? 448.0f : 127.0f;
    const float to_level = largest > 0 ? level_max / largest : 0.0f;
    double scale = o.types == Types::int8_w8a16 ? 1.0 : static_cast<double>(largest / level_max);
    scale *= static_cast<double>(o.w_scales[by_block ? row / 128 * o.w_scale_stride + begin / 128
                                            : o.scales == Scales::tensor ? 0
                                                                         : row]);
    for (int i = begin + lane; i < end; i += 32) {
      const float exact = static_cast<float>(x[token * k + i]);
      float level = exact;
      if (o.types == Types::int8_w8a8) level = rintf(__fmul_rn(exact, to_level));
      if (is_float8) level = static_cast<float>(__nv_fp8_e4m3(__fmul_rn(exact, to_level)));
      const std::uint8_t byte = static_cast<const std::uint8_t*>(o.w)[row * k + i];
      __nv_fp8_e4m3 float8;
      float8.__x = byte;
      const float weight =
          is_float8 ? static_cast<float>(float8) : static_cast<float>(static_cast<std::int8_t>(byte));
      const double term = static_cast<double>(level) * static_cast<double>(weight) * scale;
      value += term;
      magnitude += fabs(term);
    }
  }
  value = warp_sum(value);
  magnitude = warp_sum(magnitude);
  if (lane == 0) {
    expected[at].value = value;
    expected[at].magnitude = magnitude;
  }
}

cuda::LaunchSize size_for(std::int64_t work, std::int64_t blocks_max) {
  const std::int64_t blocks = (work + threads_of_check - 1) / threads_of_check;
  return {.blocks = static_cast<int>(blocks < blocks_max ? blocks : blocks_max), .threads = threads_of_check};
}

constexpr std::int64_t blocks_with_stride = 4096;
constexpr std::int64_t any_blocks = std::int64_t{1} << 31;

}  // namespace

cudaError_t fill_levels(void* w, std::int64_t size, Types types, std::uint64_t seed,
                        cudaStream_t stream) noexcept {
  return cuda::launch(fill_with_levels, size_for(size, blocks_with_stride), stream, w, size,
                      types == Types::fp8_w8a8, seed);
}

cudaError_t spread_tokens(void* x, int tokens, int in_features, cudaStream_t stream) noexcept {
  return cuda::launch(spread, size_for(std::int64_t{tokens} * in_features, blocks_with_stride), stream, x,
                      tokens, in_features);
}

cudaError_t fill_scales(float* scales, std::int64_t size, float usual, std::uint64_t seed,
                        cudaStream_t stream) noexcept {
  return cuda::launch(fill_with_scales, size_for(size, any_blocks), stream, scales, size, usual, seed);
}

cudaError_t find_largest_of_all(const void* x, std::int64_t size, unsigned* largest,
                                cudaStream_t stream) noexcept {
  return cuda::launch(largest_of_all, size_for(size, blocks_with_stride), stream, x, size, largest);
}

cudaError_t compute_expected(const void* x, const unsigned* largest, const DeviceOperands& operands,
                             cuda::Expected* expected, std::int64_t count, cudaStream_t stream) noexcept {
  return cuda::launch(expect_quantised, size_for(count * 32, any_blocks), stream, x, largest, operands,
                      expected, count);
}

}  // namespace adaptive::kernels::quantized_matmul
