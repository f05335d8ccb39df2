#include <algorithm>
#include <type_traits>

#include "kernels/common/cuda/launch.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/cuda/levels.cuh"

// The kernel that runs if nothing else can: any shape and type, not tuned. And two kernels around products by
// a library.

namespace adaptive::kernels::quantized_matmul {
namespace {

constexpr int tile = 32;
constexpr int threads_of_sums = 256;

template <Types types>
__global__ void __launch_bounds__(tile* tile) plain(const DeviceOperands o) {
  constexpr bool wide = types == Types::int8_w8a16;
  using Number = std::conditional_t<types == Types::int8_w8a8, int, float>;
  __shared__ Number x_tile[tile][tile + 1];
  __shared__ Number w_tile[tile][tile + 1];
  const int column = static_cast<int>(blockIdx.x) * tile;
  const int tx = static_cast<int>(threadIdx.x) % tile;
  const int ty = static_cast<int>(threadIdx.x) / tile;
  const int k = o.in_features;
  const bool by_block = o.scales == Scales::block128;
  const int segment_columns = by_block ? static_cast<int>(block_columns) : k;
  // The hardware limits the number of blocks in y, so each block takes several rows of tiles.
  for (int row = static_cast<int>(blockIdx.y) * tile; row < o.tokens;
       row += static_cast<int>(gridDim.y) * tile) {
    const int token = row + ty;
    const int out = column + tx;
    float total = 0;
    for (int begin = 0; begin < k; begin += segment_columns) {
      const int end = min(begin + segment_columns, k);
      Number sum = 0;
      for (int k0 = begin; k0 < end; k0 += tile) {
        const bool in_k = k0 + tx < end;
        const auto at = [&](int r) { return static_cast<long long>(r) * k + k0 + tx; };
        Number x = 0;
        if (in_k && row + ty < o.tokens) {
          if constexpr (wide)
            x = bfloat16_value(static_cast<const std::uint16_t*>(o.x)[at(row + ty)]);
          else
            x = level_value<types>(static_cast<const std::uint8_t*>(o.x)[at(row + ty)]);
        }
        x_tile[ty][tx] = x;
        w_tile[ty][tx] = in_k && column + ty < o.out_features
                             ? static_cast<Number>(
                                   level_value<types>(static_cast<const std::uint8_t*>(o.w)[at(column + ty)]))
                             : Number{0};
        __syncthreads();
#pragma unroll
        for (int i = 0; i < tile; ++i) sum += x_tile[ty][i] * w_tile[tx][i];
        __syncthreads();
      }
      if (token >= o.tokens || out >= o.out_features) continue;
      const int segment = begin / static_cast<int>(block_columns);
      float scale = 0;
      if (by_block)
        scale = o.x_scales[static_cast<long long>(segment) * o.tokens + token] *
                o.w_scales[static_cast<long long>(out / block_columns) * o.w_scale_stride + segment];
      else if (o.scales == Scales::tensor)
        scale = o.x_scales[0] * o.w_scales[0];
      else
        scale = (wide ? 1.0f : o.x_scales[token]) * o.w_scales[out];
      total += static_cast<float>(sum) * scale;
    }
    if (token < o.tokens && out < o.out_features)
      static_cast<__nv_bfloat16*>(o.y)[static_cast<long long>(token) * o.out_features + out] =
          __float2bfloat16_rn(total);
  }
}

/// A block computes some columns of a token.
__global__ void __launch_bounds__(threads_of_sums)
    scale_sums(const std::int32_t* sums, const DeviceOperands o) {
  const int columns = o.out_features / 4;
  const int column = static_cast<int>(blockIdx.x) * threads_of_sums + static_cast<int>(threadIdx.x);
  if (column >= columns) return;
  const float4 w = reinterpret_cast<const float4*>(o.w_scales)[column];
  for (int token = static_cast<int>(blockIdx.y); token < o.tokens; token += static_cast<int>(gridDim.y)) {
    const long long at = static_cast<long long>(token) * columns + column;
    const int4 sum = reinterpret_cast<const int4*>(sums)[at];
    const float x = o.x_scales[token];
    const __nv_bfloat162 low =
        __floats2bfloat162_rn(static_cast<float>(sum.x) * (x * w.x), static_cast<float>(sum.y) * (x * w.y));
    const __nv_bfloat162 high =
        __floats2bfloat162_rn(static_cast<float>(sum.z) * (x * w.z), static_cast<float>(sum.w) * (x * w.w));
    uint2 bits;
    memcpy(&bits.x, &low, sizeof low);
    memcpy(&bits.y, &high, sizeof high);
    reinterpret_cast<uint2*>(o.y)[at] = bits;
  }
}

/// A thread converts 16 weights of a row.
__global__ void __launch_bounds__(threads_of_sums) dequantise(const DeviceOperands o, uint4* to) {
  const long long pieces = static_cast<long long>(o.out_features) * (o.in_features / 16);
  const long long stride = static_cast<long long>(gridDim.x) * threads_of_sums;
  for (long long at = static_cast<long long>(blockIdx.x) * threads_of_sums + threadIdx.x; at < pieces;
       at += stride) {
    const uint4 levels = static_cast<const uint4*>(o.w)[at];
    const float scale = o.w_scales[at / (o.in_features / 16)];
    const std::uint32_t words[4] = {levels.x, levels.y, levels.z, levels.w};
    std::uint32_t bits[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const std::uint32_t word = words[i / 2] >> i % 2 * 16;
      const auto level = [&](int shift) {
        return static_cast<float>(static_cast<std::int8_t>(word >> shift & 0xFF));
      };
      const __nv_bfloat162 pair = __floats2bfloat162_rn(level(0) * scale, level(8) * scale);
      memcpy(&bits[i], &pair, sizeof pair);
    }
    to[2 * at] = {bits[0], bits[1], bits[2], bits[3]};
    to[2 * at + 1] = {bits[4], bits[5], bits[6], bits[7]};
  }
}

template <Types types>
cudaError_t start_plain(const DeviceOperands& o, cudaStream_t stream) {
  const cuda::LaunchSize size = {.blocks = cuda::tiles_of(o.out_features, tile),
                                 .threads = tile * tile,
                                 .grid_rows = std::min(cuda::tiles_of(o.tokens, tile), 65535)};
  return cuda::launch(plain<types>, size, stream, o);
}

}  // namespace

cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept {
  switch (operands.types) {
    case Types::int8_w8a8:
      return start_plain<Types::int8_w8a8>(operands, stream);
    case Types::int8_w8a16:
      return start_plain<Types::int8_w8a16>(operands, stream);
    case Types::fp8_w8a8:
      break;
  }
  return start_plain<Types::fp8_w8a8>(operands, stream);
}

cudaError_t launch_scale_sums(const std::int32_t* sums, const DeviceOperands& operands,
                              cudaStream_t stream) noexcept {
  const cuda::LaunchSize size = {.blocks = cuda::tiles_of(operands.out_features / 4, threads_of_sums),
                                 .threads = threads_of_sums,
                                 .grid_rows = std::min(operands.tokens, 65535)};
  return cuda::launch(scale_sums, size, stream, sums, operands);
}

cudaError_t launch_dequantise(const DeviceOperands& operands, void* to, cudaStream_t stream) noexcept {
  const long long pieces = static_cast<long long>(operands.out_features) * (operands.in_features / 16);
  const long long blocks = std::min<long long>((pieces + threads_of_sums - 1) / threads_of_sums, 4096);
  return cuda::launch(dequantise, {.blocks = static_cast<int>(blocks), .threads = threads_of_sums}, stream,
                      operands, to);
}

}  // namespace adaptive::kernels::quantized_matmul
