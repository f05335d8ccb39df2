#include "kernels/common/cuda/check.hpp"
#include "kernels/common/cuda/element.cuh"

namespace adaptive::kernels::cuda {
namespace {

constexpr unsigned threads = 256;

__device__ unsigned long long split_mix(unsigned long long z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

template <class T>
__global__ void fill(T* data, long long size, unsigned long long seed) {
  const long long stride = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += stride) {
    const unsigned long long bits =
        split_mix(seed + (static_cast<unsigned long long>(i) + 1) * 0x9e3779b97f4a7c15ull);
    data[i] = static_cast<T>(-1.0f + 2.0f * (static_cast<float>(bits >> 40) * 0x1p-24f));
  }
}

__device__ double sum_of_warp(double value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, offset);
  return value;
}

// One warp computes one element.
template <class Input>
__global__ void expect(const Input* x, const Input* w, Expected* expected, long long count, long long k) {
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x % 32);
  if (at >= count) return;
  const Input* x_row = x + expected[at].x_row * k;
  const Input* w_row = w + expected[at].w_row * k;
  double value = 0.0;
  double magnitude = 0.0;
  for (long long i = lane; i < k; i += 32) {
    const double term =
        static_cast<double>(static_cast<float>(x_row[i])) * static_cast<double>(static_cast<float>(w_row[i]));
    value += term;
    magnitude += fabs(term);
  }
  value = sum_of_warp(value);
  magnitude = sum_of_warp(magnitude);
  if (lane == 0) {
    expected[at].value = value;
    expected[at].magnitude = magnitude;
  }
}

template <class Output>
__global__ void find_not_finite(const Output* y, long long size, Difference* difference) {
  const long long stride = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < size; i += stride)
    if (!isfinite(static_cast<float>(y[i]))) difference->not_finite = 1;  // all threads write the same value
}

// Half a unit in the last place of the output, relative: the error from rounding the exact sum.
template <class Output>
constexpr double rounding = 0x1p-8;
template <>
constexpr double rounding<__half> = 0x1p-11;

template <class Output>
__global__ void find_worst(const Output* y, const Expected* expected, long long count,
                           Difference* difference) {
  const long long at = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= count) return;
  const Expected& e = expected[at];
  const double actual = static_cast<double>(static_cast<float>(y[e.at]));
  const double error = fabs(actual - e.value) - rounding<Output> * fabs(e.value);
  // A sum of zeros has magnitude zero and must be exactly zero. If the magnitude is very small, the output
  // may be subnormal, with absolute steps.
  const double relative = fmax(error - 0x1p-25, 0.0) / fmax(e.magnitude, 1e-30);
  // The order of non-negative doubles is the order of their bits.
  atomicMax(&difference->worst_bits, static_cast<unsigned long long>(__double_as_longlong(relative)));
}

unsigned blocks_for(std::int64_t work) {
  const std::int64_t blocks = (work + threads - 1) / threads;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks);
}

unsigned blocks_capped(std::int64_t work) {
  const unsigned blocks = blocks_for(work);
  return blocks < 4096u ? blocks : 4096u;
}

template <class... Parameters, class... Arguments>
cudaError_t start(void (*kernel)(Parameters...), unsigned blocks, cudaStream_t stream,
                  Arguments... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(threads);
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace

cudaError_t fill_random(void* data, std::int64_t size, Element type, std::uint64_t seed,
                        cudaStream_t stream) noexcept {
  return with_type(type, [&](auto types) {
    using Input = typename decltype(types)::Input;
    return start(fill<Input>, blocks_capped(size), stream, static_cast<Input*>(data), size, seed);
  });
}

cudaError_t compute_expected(const void* x, const void* w, std::int64_t k, Element type, Expected* expected,
                             std::int64_t count, cudaStream_t stream) noexcept {
  return with_type(type, [&](auto types) {
    using Input = typename decltype(types)::Input;
    return start(expect<Input>, blocks_for(count * 32), stream, static_cast<const Input*>(x),
                 static_cast<const Input*>(w), expected, count, k);
  });
}

cudaError_t compare(const void* y, std::int64_t size, Element type, const Expected* expected,
                    std::int64_t count, Difference* difference, cudaStream_t stream) noexcept {
  return with_type(type, [&](auto types) {
    using Output = typename decltype(types)::Output;
    const auto* output = static_cast<const Output*>(y);
    const cudaError_t status =
        start(find_not_finite<Output>, blocks_capped(size), stream, output, size, difference);
    if (status != cudaSuccess) return status;
    return start(find_worst<Output>, blocks_for(count), stream, output, expected, count, difference);
  });
}

}  // namespace adaptive::kernels::cuda
