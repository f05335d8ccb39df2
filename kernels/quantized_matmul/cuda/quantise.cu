#include "kernels/common/cuda/launch.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/cuda/levels.cuh"

// Quantises activations, apart from the products. The rounding is that of ../quantise.hpp. Every kernel waits
// for the one before it, which may have written x and may still read the levels, and then lets the product
// begin, which can request its weights meanwhile.

namespace adaptive::kernels::quantized_matmul {
namespace {

constexpr int threads_of_row = 256;
constexpr int threads_of_segments = 128;

__device__ unsigned largest_of_warp(unsigned value) {
#pragma unroll
  for (int offset = 16; offset > 0; offset /= 2)
    value = max(value, __shfl_xor_sync(0xFFFFFFFFu, value, offset));
  return value;
}

/// The largest of all threads of a block, for each of them.
__device__ unsigned largest_of_block(unsigned value) {
  __shared__ unsigned of_warp[32];
  const int warps = static_cast<int>(blockDim.x) / 32;
  value = largest_of_warp(value);
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  for (int warp = 0; warp < warps; ++warp) value = max(value, of_warp[warp]);
  return value;
}

/// The magnitudes of bfloat16 are in the order of their bits.
template <int count>
__device__ unsigned largest_in(const std::uint16_t (&x)[count]) {
  unsigned largest = 0;
#pragma unroll
  for (int i = 0; i < count; ++i) largest = max(largest, static_cast<unsigned>(x[i] & 0x7FFF));
  return largest;
}

template <int count>
__device__ void read(const std::uint16_t* from, std::uint16_t (&x)[count]) {
  if constexpr (count == 8)
    memcpy(x, __builtin_assume_aligned(from, 16), 16);
  else if constexpr (count == 4)
    memcpy(x, __builtin_assume_aligned(from, 8), 8);
  else
    x[0] = *from;
}

template <Types types, int count>
__device__ void write(std::uint8_t* to, const std::uint16_t (&x)[count], float to_level) {
  std::uint8_t levels[count];
#pragma unroll
  for (int i = 0; i < count; ++i) levels[i] = level_of<types>(bfloat16_value(x[i]), to_level);
  if constexpr (count == 8)
    memcpy(__builtin_assume_aligned(to, 8), levels, 8);
  else if constexpr (count == 4)
    memcpy(__builtin_assume_aligned(to, 4), levels, 4);
  else
    *to = levels[0];
}

/// A block quantises a token, `count` columns of a thread at a time. The second pass finds the token in the
/// first-level cache.
template <Types types, int count>
__global__ void __launch_bounds__(threads_of_row)
    quantise_rows(const std::uint16_t* x, std::uint8_t* levels, float* scales, int columns) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const long long row = blockIdx.x;
  x += row * columns;
  levels += row * columns;
  const int first = static_cast<int>(threadIdx.x) * count;
  unsigned largest = 0;
  for (int at = first; at < columns; at += threads_of_row * count) {
    std::uint16_t values[count];
    read(x + at, values);
    largest = max(largest, largest_in(values));
  }
  const DeviceScaling scaling = device_scaling_of<types>(largest_of_block(largest));
  if (threadIdx.x == 0) scales[row] = scaling.scale;
  for (int at = first; at < columns; at += threads_of_row * count) {
    std::uint16_t values[count];
    read(x + at, values);
    write<types>(levels + at, values, scaling.to_level);
  }
}

/// A warp quantises a segment of a token; each lane has four columns, side by side if `together` is 4.
template <Types types, int together>
__global__ void __launch_bounds__(threads_of_segments)
    quantise_segments(const std::uint16_t* x, std::uint8_t* levels, float* scales, int tokens, int columns) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int segments = (columns + 127) / 128;
  const long long at = (static_cast<long long>(blockIdx.x) * threads_of_segments + threadIdx.x) / 32;
  if (at >= static_cast<long long>(tokens) * segments) return;  // whole warps
  const long long token = at / segments;
  const int segment = static_cast<int>(at % segments);
  constexpr int loads = 4 / together;
  std::uint16_t values[loads][together] = {};
  unsigned largest = 0;
#pragma unroll
  for (int i = 0; i < loads; ++i) {
    const int column = segment * 128 + (i * 32 + lane) * together;
    if (column < columns) read(x + token * columns + column, values[i]);
    largest = max(largest, largest_in(values[i]));
  }
  const DeviceScaling scaling = device_scaling_of<types>(largest_of_warp(largest));
  if (lane == 0) scales[static_cast<long long>(segment) * tokens + token] = scaling.scale;
#pragma unroll
  for (int i = 0; i < loads; ++i) {
    const int column = segment * 128 + (i * 32 + lane) * together;
    if (column < columns) write<types>(levels + token * columns + column, values[i], scaling.to_level);
  }
}

template <int count>
__global__ void __launch_bounds__(threads_of_row)
    find_largest(const std::uint16_t* x, unsigned* largest, long long size) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  unsigned found = 0;
  const long long stride = static_cast<long long>(gridDim.x) * threads_of_row * count;
  for (long long at = (static_cast<long long>(blockIdx.x) * threads_of_row + threadIdx.x) * count; at < size;
       at += stride) {
    std::uint16_t values[count];
    read(x + at, values);
    found = max(found, largest_in(values));
  }
  found = largest_of_block(found);
  if (threadIdx.x == 0) largest[blockIdx.x] = found;
}

/// Every block finds the largest of the blocks of find_largest() again.
template <Types types, int count>
__global__ void __launch_bounds__(threads_of_row)
    quantise_tensor(const std::uint16_t* x, std::uint8_t* levels, float* scales, const unsigned* largest,
                    int largest_of, long long size) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const unsigned own = static_cast<int>(threadIdx.x) < largest_of ? largest[threadIdx.x] : 0;
  const DeviceScaling scaling = device_scaling_of<types>(largest_of_block(own));
  if (blockIdx.x == 0 && threadIdx.x == 0) scales[0] = scaling.scale;
  const long long stride = static_cast<long long>(gridDim.x) * threads_of_row * count;
  for (long long at = (static_cast<long long>(blockIdx.x) * threads_of_row + threadIdx.x) * count; at < size;
       at += stride) {
    std::uint16_t values[count];
    read(x + at, values);
    write<types>(levels + at, values, scaling.to_level);
  }
}

static_assert(largest_count <= threads_of_row);

template <Types types>
cudaError_t quantise_as(const Unquantised& from, const DeviceOperands& o, cudaStream_t stream) {
  const bool whole = o.in_features % 8 == 0;
  const long long size = static_cast<long long>(o.tokens) * o.in_features;
  if (o.scales == Scales::block128) {
    const long long warps = static_cast<long long>(o.tokens) * ((o.in_features + 127) / 128);
    const int blocks = static_cast<int>((warps * 32 + threads_of_segments - 1) / threads_of_segments);
    return cuda::launch(whole ? quantise_segments<types, 4> : quantise_segments<types, 1>,
                        {.blocks = blocks, .threads = threads_of_segments, .overlaps = o.overlaps}, stream,
                        from.x, from.levels, from.scales, o.tokens, o.in_features);
  }
  if (o.scales == Scales::channel)
    return cuda::launch(whole ? quantise_rows<types, 8> : quantise_rows<types, 1>,
                        {.blocks = o.tokens, .threads = threads_of_row, .overlaps = o.overlaps}, stream,
                        from.x, from.levels, from.scales, o.in_features);
  const long long wanted = (size + threads_of_row * 8 - 1) / (threads_of_row * 8);
  const int blocks = static_cast<int>(wanted < largest_count ? wanted : largest_count);
  const cuda::LaunchSize grid = {.blocks = blocks, .threads = threads_of_row, .overlaps = o.overlaps};
  const cudaError_t found =
      cuda::launch(whole ? find_largest<8> : find_largest<1>, grid, stream, from.x, from.largest, size);
  if (found != cudaSuccess) return found;
  return cuda::launch(whole ? quantise_tensor<types, 8> : quantise_tensor<types, 1>, grid, stream, from.x,
                      from.levels, from.scales, from.largest, blocks, size);
}

}  // namespace

cudaError_t launch_quantise(const Unquantised& from, const DeviceOperands& operands,
                            cudaStream_t stream) noexcept {
  return operands.types == Types::fp8_w8a8 ? quantise_as<Types::fp8_w8a8>(from, operands, stream)
                                           : quantise_as<Types::int8_w8a8>(from, operands, stream);
}

}  // namespace adaptive::kernels::quantized_matmul
