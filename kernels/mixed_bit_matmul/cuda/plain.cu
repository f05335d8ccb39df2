#include "kernels/common/cuda_element.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/repack.cuh"
#include "kernels/mixed_bit_matmul/operands.hpp"

// The default, the weights for a library's product, and the order of words. Nothing here is tuned but
// dequantise.

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

constexpr unsigned threads = 256;

/// f.operator()<bits>().
template <class F>
__device__ void with_bits(int bits, const F& f) {
  switch (bits) {
    case 2:
      f.template operator()<2>();
      break;
    case 3:
      f.template operator()<3>();
      break;
    case 4:
      f.template operator()<4>();
      break;
    default:
      f.template operator()<8>();
      break;
  }
}

struct Scale {
  float scale, offset;
};

template <class T>
__device__ Scale scale_of(const T* scales, int groups, int block, int group, int row) {
  const T* pair = scales + ((static_cast<long long>(block) * groups + group) * block_rows + row) * 2;
  return {static_cast<float>(pair[0]), static_cast<float>(pair[1])};
}

// A warp the 16 rows of a block and one group, its lanes with the levels that they hold: f(half, column, low,
// high) for two adjacent weights of a lane's first or second row, the column counted from the lane's first.
template <class T, int bits, class F>
__device__ void for_each_pair(const std::uint32_t* words, const T* scales, int groups, int block, int group,
                              const F& f) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  std::uint32_t own[bits];
#pragma unroll
  for (int v = 0; v < bits; ++v) own[v] = words[(static_cast<long long>(group) * bits + v) * 32 + lane];
  const Scale scale[2] = {scale_of(scales, groups, block, group, lane / 4),
                          scale_of(scales, groups, block, group, lane / 4 + 8)};
#pragma unroll
  for (int pair = 0; pair < pairs; ++pair) {
    const Place place = place_of(0, pair, 0);
    const std::uint32_t both = levels_of<bits>(own, pair);
    const Scale& of_row = scale[place.row / 8];
    f(place.row / 8, place.column, fmaf(of_row.scale, static_cast<float>(both & 0xFFFFu), of_row.offset),
      fmaf(of_row.scale, static_cast<float>(both >> 16), of_row.offset));
  }
}

// A warp a block of rows and a token.
template <class T>
__global__ void __launch_bounds__(threads)
    plain(const T* x, const std::uint32_t* words, const std::int64_t* words_at, const int* block_bits,
          const T* scales, T* y, int tokens, int out_features, int groups, int blocks) {
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (at >= static_cast<long long>(tokens) * blocks) return;
  const int block = static_cast<int>(at % blocks);
  const int token = static_cast<int>(at / blocks);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const T* x_row = x + static_cast<long long>(token) * groups * group_size + lane % 4 * 16;
  float sum[2] = {};
  with_bits(block_bits[block], [&]<int bits>() {
    for (int group = 0; group < groups; ++group)
      for_each_pair<T, bits>(words + words_at[block], scales, groups, block, group,
                             [&](int half, int column, float low, float high) {
                               const T* two = x_row + group * group_size + column;
                               sum[half] = fmaf(low, static_cast<float>(two[0]), sum[half]);
                               sum[half] = fmaf(high, static_cast<float>(two[1]), sum[half]);
                             });
  });
  // The four lanes of a row have different columns.
  for (int half = 0; half < 2; ++half) {
    for (int offset = 1; offset < 4; offset *= 2)
      sum[half] += __shfl_xor_sync(0xFFFFFFFFu, sum[half], offset);
    const int row = block * static_cast<int>(block_rows) + lane / 4 + 8 * half;
    if (lane % 4 == 0 && row < out_features)
      y[static_cast<long long>(token) * out_features + row] = static_cast<T>(sum[half]);
  }
}

// A warp a block of rows and a group. A lane's 16 columns are 32 bytes of each of its rows.
template <class T>
__global__ void __launch_bounds__(threads)
    dequantise(const std::uint32_t* words, const std::int64_t* words_at, const int* block_bits,
               const T* scales, T* w, int out_features, int groups, int blocks) {
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (at >= static_cast<long long>(groups) * blocks) return;
  const int group = static_cast<int>(at % groups);
  const int block = static_cast<int>(at / groups);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  __align__(16) T own[2][16];
  with_bits(block_bits[block], [&]<int bits>() {
    for_each_pair<T, bits>(words + words_at[block], scales, groups, block, group,
                           [&](int half, int column, float low, float high) {
                             own[half][column] = static_cast<T>(low);
                             own[half][column + 1] = static_cast<T>(high);
                           });
  });
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = block * static_cast<int>(block_rows) + lane / 4 + 8 * half;
    if (row >= out_features) continue;
    auto* to = reinterpret_cast<uint4*>(w + (static_cast<long long>(row) * groups + group) * group_size +
                                        lane % 4 * 16);
    to[0] = reinterpret_cast<const uint4*>(own[half])[0];
    to[1] = reinterpret_cast<const uint4*>(own[half])[1];
  }
}

/// A level as ../operands.hpp defines it; `group`: the words of a block and group, [2 * bits][16].
__device__ std::uint32_t level_at(const std::uint32_t* group, int bits, int row, int column) {
  const int low_bits = bits == 3 ? 2 : bits;
  const int per_word = 32 / low_bits;
  const std::uint32_t word = group[column / per_word * block_rows + row];
  std::uint32_t level = word >> (column % per_word * low_bits) & ((1u << low_bits) - 1);
  if (bits == 3) level |= (group[(4 + column / 32) * block_rows + row] >> (column % 32) & 1) << 2;
  return level;
}

// A warp a block of rows and a group.
__global__ void __launch_bounds__(threads)
    repack(const std::uint32_t* from, const std::int64_t* words_at, const int* block_bits, std::uint32_t* to,
           int groups, int blocks) {
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (at >= static_cast<long long>(groups) * blocks) return;
  const int block = static_cast<int>(at / groups);
  const int bits = block_bits[block];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const long long first = words_at[block] + at % groups * bits * 32;
  std::uint32_t own[8] = {};
  for (int pair = 0; pair < pairs; ++pair)
    for (int half = 0; half < 2; ++half) {
      const Place place = place_of(lane, pair, half);
      const std::uint32_t level = level_at(from + first, bits, place.row, place.column);
      if (bits == 3) {
        own[pair / 8] |= (level & 3) << (2 * (pair % 8) + 16 * half);
        own[2] |= (level >> 2) << (pair + 16 * half);
      } else {
        const int per_word = 16 / bits;
        own[pair / per_word] |= level << (bits * (pair % per_word) + 16 * half);
      }
    }
  for (int v = 0; v < bits; ++v) to[first + v * 32 + lane] = own[v];
}

template <class T>
__global__ void __launch_bounds__(threads) convert(const float* from, T* to, long long size) {
  const long long at = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at < size) to[at] = static_cast<T>(from[at]);
}

template <class... Parameters, class... Arguments>
cudaError_t start(void (*kernel)(Parameters...), std::int64_t work, cudaStream_t stream,
                  Arguments... arguments) {
  if (work == 0) return cudaSuccess;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>((work + threads - 1) / threads));
  config.blockDim = dim3(threads);
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace

cudaError_t launch_plain(const DeviceOperands& o, cudaStream_t stream) noexcept {
  return cuda::with_type(o.type, [&](auto types) {
    using T = typename decltype(types)::Output;
    return start(plain<T>, std::int64_t{o.tokens} * o.blocks * 32, stream, static_cast<const T*>(o.x),
                 o.words, o.words_at, o.block_bits, static_cast<const T*>(o.scales), static_cast<T*>(o.y),
                 o.tokens, o.out_features, o.groups, o.blocks);
  });
}

cudaError_t launch_dequantise(const DeviceOperands& o, void* w, cudaStream_t stream) noexcept {
  return cuda::with_type(o.type, [&](auto types) {
    using T = typename decltype(types)::Output;
    return start(dequantise<T>, std::int64_t{o.groups} * o.blocks * 32, stream, o.words, o.words_at,
                 o.block_bits, static_cast<const T*>(o.scales), static_cast<T*>(w), o.out_features, o.groups,
                 o.blocks);
  });
}

cudaError_t launch_repack(const std::uint32_t* from, const DeviceOperands& o, std::uint32_t* to,
                          cudaStream_t stream) noexcept {
  return start(repack, std::int64_t{o.groups} * o.blocks * 32, stream, from, o.words_at, o.block_bits, to,
               o.groups, o.blocks);
}

cudaError_t launch_convert(const float* from, void* to, std::int64_t size, cuda::Element type,
                           cudaStream_t stream) noexcept {
  return cuda::with_type(type, [&](auto types) {
    using T = typename decltype(types)::Output;
    return start(convert<T>, size, stream, from, static_cast<T*>(to), size);
  });
}

}  // namespace adaptive::kernels::mixed_bit_matmul
