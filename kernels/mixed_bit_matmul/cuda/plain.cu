#include "kernels/common/cuda/element.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/packing.cuh"
#include "kernels/mixed_bit_matmul/operands.hpp"

// The default kernel, dequantised weights for a library's product, and the conversion of the order of words.
// Only dequantise is tuned.

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

constexpr unsigned threads = 256;

/// A block of rows: the addresses of its words and scales.
template <class T>
struct Block {
  const std::uint32_t* words;
  const T* scales;
};

template <class T>
__device__ Block<T> block_at(const DeviceOperands& operands, int block) {
  return {operands.words + operands.words_at[block],
          static_cast<const T*>(operands.scales) +
              static_cast<long long>(block) * operands.chunks() * chunk_scale_bytes / 2};
}

// One warp handles the 16 rows of a block and one group. Each lane calls f(row, column, low, high) for pairs
// of adjacent weights of its first or second row.
template <class T, int bits, class F>
__device__ void for_each_pair(const Block<T>& block, int group, const F& f) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::uint32_t* chunk =
      block.words + static_cast<long long>(group / chunk_groups) * words_of_chunk(bits);
  std::uint32_t own[bits];
#pragma unroll
  for (int v = 0; v < bits; ++v) own[v] = chunk[word_at(lane, group % chunk_groups * bits + v)];
  float scale[2], offset[2];
#pragma unroll
  for (int row = 0; row < 2; ++row) {
    const T* pair = block.scales + 2 * scale_at(lane / 4 + 8 * row, group);
    scale[row] = static_cast<float>(pair[0]);
    offset[row] = static_cast<float>(pair[1]);
  }
#pragma unroll
  for (int slot = 0; slot < slots; ++slot)
#pragma unroll
    for (int row = 0; row < 2; ++row) {
      const std::uint32_t levels = levels_of<bits>(own, slot, row);
      f(row, place_of(lane, slot, row, 0).column,
        fmaf(scale[row], static_cast<float>(levels & 0xFFFFu), offset[row]),
        fmaf(scale[row], static_cast<float>(levels >> 16), offset[row]));
    }
}

// One warp computes one block of rows for one token.
template <class T>
__global__ void __launch_bounds__(threads) plain(const DeviceOperands operands) {
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (at >= static_cast<long long>(operands.tokens) * operands.blocks) return;
  const int block = static_cast<int>(at % operands.blocks);
  const int token = static_cast<int>(at / operands.blocks);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const T* x =
      static_cast<const T*>(operands.x) + static_cast<long long>(token) * operands.groups * group_size;
  T* y = static_cast<T*>(operands.y) + static_cast<long long>(token) * operands.out_features;
  const Block<T> from = block_at<T>(operands, block);
  float sum[2] = {};
  with_bits(operands.block_bits[block], [&]<int bits>() {
    for (int group = 0; group < operands.groups; ++group)
      for_each_pair<T, bits>(from, group, [&](int row, int column, float low, float high) {
        const T* two = x + group * group_size + column;
        sum[row] = fmaf(low, static_cast<float>(two[0]), sum[row]);
        sum[row] = fmaf(high, static_cast<float>(two[1]), sum[row]);
      });
  });
  // Adds over the four lanes of a row, which have different columns.
  for (int half = 0; half < 2; ++half) {
    for (int offset = 1; offset < 4; offset *= 2)
      sum[half] += __shfl_xor_sync(0xFFFFFFFFu, sum[half], offset);
    const int row = block * rows_of_block + lane / 4 + 8 * half;
    if (lane % 4 == 0 && row < operands.out_features) y[row] = static_cast<T>(sum[half]);
  }
}

// One warp handles one block of rows and one group. It transposes them in shared memory, so that rows are
// written in pieces of 128 bytes.
template <class T>
__global__ void __launch_bounds__(threads) dequantise(const DeviceOperands operands, T* w) {
  constexpr int row_bytes = group_size * 2 + 16;  // 16 bytes of padding against bank conflicts
  __shared__ __align__(16) unsigned char shared[threads / 32][rows_of_block * row_bytes];
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (at >= static_cast<long long>(operands.groups) * operands.blocks) return;
  const int group = static_cast<int>(at % operands.groups);
  const int block = static_cast<int>(at / operands.groups);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  unsigned char* own = shared[threadIdx.x / 32];
  with_bits(operands.block_bits[block], [&]<int bits>() {
    for_each_pair<T, bits>(block_at<T>(operands, block), group,
                           [&](int row, int column, float low, float high) {
                             T* to = reinterpret_cast<T*>(own + (lane / 4 + 8 * row) * row_bytes) + column;
                             to[0] = static_cast<T>(low);
                             to[1] = static_cast<T>(high);
                           });
  });
  __syncwarp();
#pragma unroll
  for (int i = lane; i < rows_of_block * 8; i += 32) {
    const int row = block * rows_of_block + i / 8;
    if (row >= operands.out_features) continue;
    T* to = w + (static_cast<long long>(row) * operands.groups + group) * group_size + i % 8 * 8;
    *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(own + i / 8 * row_bytes + i % 8 * 16);
  }
}

/// A level as defined in ../operands.hpp; `group` points to the words of a block and group, [2 * bits][16].
__device__ std::uint32_t level_at(const std::uint32_t* group, int bits, int row, int column) {
  const int low_bits = bits == 3 ? 2 : bits;
  const int per_word = 32 / low_bits;
  const std::uint32_t word = group[column / per_word * block_rows + row];
  std::uint32_t level = word >> (column % per_word * low_bits) & ((1u << low_bits) - 1);
  if (bits == 3) level |= (group[(4 + column / 32) * block_rows + row] >> (column % 32) & 1) << 2;
  return level;
}

// One warp handles one block of rows and one group.
__global__ void __launch_bounds__(threads) repack(const std::uint32_t* from, const std::int64_t* from_at,
                                                  const DeviceOperands operands, std::uint32_t* to) {
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (at >= static_cast<long long>(operands.groups) * operands.blocks) return;
  const int block = static_cast<int>(at / operands.groups);
  const int group = static_cast<int>(at % operands.groups);
  const int bits = operands.block_bits[block];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const std::uint32_t* words = from + from_at[block] + static_cast<long long>(group) * bits * 32;
  std::uint32_t own[8] = {};
  for (int slot = 0; slot < slots; ++slot)
    for (int row = 0; row < 2; ++row) {
      const Place low = place_of(lane, slot, row, 0);
      const Place high = place_of(lane, slot, row, 1);
      put_levels(bits, own, slot, row,
                 level_at(words, bits, low.row, low.column) | level_at(words, bits, high.row, high.column)
                                                                  << 16);
    }
  std::uint32_t* chunk =
      to + operands.words_at[block] + static_cast<long long>(group / chunk_groups) * words_of_chunk(bits);
  for (int v = 0; v < bits; ++v) chunk[word_at(lane, group % chunk_groups * bits + v)] = own[v];
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

cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept {
  return cuda::with_type(operands.type, [&](auto types) {
    using T = typename decltype(types)::Output;
    return start(plain<T>, std::int64_t{operands.tokens} * operands.blocks * 32, stream, operands);
  });
}

cudaError_t launch_dequantise(const DeviceOperands& operands, void* w, cudaStream_t stream) noexcept {
  return cuda::with_type(operands.type, [&](auto types) {
    using T = typename decltype(types)::Output;
    return start(dequantise<T>, std::int64_t{operands.groups} * operands.blocks * 32, stream, operands,
                 static_cast<T*>(w));
  });
}

cudaError_t launch_repack(const std::uint32_t* from, const std::int64_t* from_at,
                          const DeviceOperands& operands, std::uint32_t* to, cudaStream_t stream) noexcept {
  return start(repack, std::int64_t{operands.groups} * operands.blocks * 32, stream, from, from_at, operands,
               to);
}

cudaError_t launch_convert(const float* from, void* to, std::int64_t size, cuda::Element type,
                           cudaStream_t stream) noexcept {
  return cuda::with_type(type, [&](auto types) {
    using T = typename decltype(types)::Output;
    return start(convert<T>, size, stream, from, static_cast<T*>(to), size);
  });
}

}  // namespace adaptive::kernels::mixed_bit_matmul
