#pragma once

#include <type_traits>

#include "kernels/common/cuda_element.cuh"
#include "kernels/common/with_index.cuh"
#include "kernels/mixed_bit_matmul/cuda/convert.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/repack.cuh"
#include "kernels/mixed_bit_matmul/operands.hpp"

// Few tokens: the weights are read once and unpacked in registers. Levels are small integers, exact in the
// type of the activations, so the tensor cores multiply them as they are; a block of 16 rows is the first
// operand of an mma, 8 tokens the second. At the end of a group of 64 columns its sum takes its scale, and
// the sum of the group's activations, which an operand of ones makes, the offset: sums in float32, nothing
// rounded before.
//
// A warp has one width, so blocks of rows of all widths run side by side in one launch. The warps of one take
// groups in turn and add up what they have in a fixed order.

namespace adaptive::kernels::mixed_bit_matmul {
template <class T>
__device__ void multiply(float (&sum)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  if constexpr (std::is_same_v<T, __half>)
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

inline __device__ std::uint32_t load_once(const std::uint32_t* from) {
  std::uint32_t value;
  asm volatile("ld.global.nc.L1::no_allocate.u32 %0, [%1];" : "=r"(value) : "l"(from));
  return value;
}

/// What a warp adds to sums of 16 rows and a tile of tokens: groups `part`, `part + parts`, …
template <class T, Config config, int bits>
__device__ void multiply_groups(const T* x, const std::uint32_t* words, const T* scales, int groups,
                                int tokens, int part, int lane, float (&total)[config.tokens / 8][4]) {
  using Two = typename Pair<T>::Type;
  constexpr int token_tiles = config.tokens / 8;
  constexpr int at_once = config.words / bits;
  constexpr std::uint32_t ones = std::is_same_v<T, __half> ? 0x3C003C00u : 0x3F803F80u;
  constexpr std::uint32_t all_ones[4] = {ones, ones, ones, ones};
  const long long x_stride = static_cast<long long>(groups) * group_size;
  const int token = lane / 4;
  const T* x_from = x + lane % 4 * 16;
  for (int first = part; first < groups; first += config.parts * at_once) {
    std::uint32_t level_words[at_once][bits];
    Two low[at_once], high[at_once];  // scale and offset of both rows
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const int group = first + i * config.parts;
      const bool inside = group < groups;
      const std::uint32_t* from = words + static_cast<long long>(group) * bits * 32 + lane;
#pragma unroll
      for (int v = 0; v < bits; ++v) level_words[i][v] = inside ? load_once(from + v * 32) : 0;
      const auto* pair = reinterpret_cast<const Two*>(scales) + group * block_rows + lane / 4;
      if (inside) {
        low[i] = pair[0];
        high[i] = pair[8];
      }
    }
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const int group = first + i * config.parts;
      if (group >= groups) break;
      float sum[token_tiles][4] = {};
      float plain[token_tiles][4] = {};
#pragma unroll
      for (int half = 0; half < 2; ++half) {  // 8 of a lane's 16 columns: two steps
        uint4 activations[token_tiles];
#pragma unroll
        for (int t = 0; t < token_tiles; ++t) {
          const T* from = x_from + (token + 8 * t) * x_stride + group * group_size + 8 * half;
          activations[t] =
              token + 8 * t < tokens ? __ldg(reinterpret_cast<const uint4*>(from)) : make_uint4(0, 0, 0, 0);
        }
#pragma unroll
        for (int second = 0; second < 2; ++second) {
          std::uint32_t a[4];
#pragma unroll
          for (int operand = 0; operand < 4; ++operand)
            a[operand] =
                numbers_of<T, bits>(levels_of<bits>(level_words[i], 4 * (2 * half + second) + operand));
#pragma unroll
          for (int t = 0; t < token_tiles; ++t) {
            const std::uint32_t b0 = second == 0 ? activations[t].x : activations[t].z;
            const std::uint32_t b1 = second == 0 ? activations[t].y : activations[t].w;
            multiply<T>(sum[t], a, b0, b1);
            multiply<T>(plain[t], all_ones, b0, b1);
          }
        }
      }
      const float scale[2] = {static_cast<float>(low[i].x), static_cast<float>(high[i].x)};
      const float offset[2] = {static_cast<float>(low[i].y), static_cast<float>(high[i].y)};
#pragma unroll
      for (int t = 0; t < token_tiles; ++t)
#pragma unroll
        for (int j = 0; j < 4; ++j) total[t][j] += scale[j / 2] * sum[t][j] + offset[j / 2] * plain[t][j];
    }
  }
}

template <std::size_t index>
struct Of {
  static constexpr Config config = mma_configs[index];
};

template <class T, std::size_t index>
__global__ void __launch_bounds__(mma_configs[index].warps() * 32, 1)
    mixed_bit_mma(const T* __restrict__ x, const std::uint32_t* __restrict__ words,
                  const std::int64_t* __restrict__ words_at, const int* __restrict__ block_bits,
                  const T* __restrict__ scales, T* __restrict__ y, int tokens, int out_features, int groups,
                  int blocks) {
  constexpr Config config = Of<index>::config;
  constexpr int token_tiles = config.tokens / 8;
  __shared__ float sums[config.blocks][config.parts][config.tokens][block_rows + 1];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  // Neighbouring warps have different rows and the same columns: what one has loaded of x, the next finds.
  const int own = warp % config.blocks;
  const int part = warp / config.blocks;
  const int first_block = static_cast<int>(blockIdx.x) * config.blocks;
  const int block = first_block + own;
  const int token0 = static_cast<int>(blockIdx.y) * config.tokens;
  const int tile_tokens = min(config.tokens, tokens - token0);
  const T* tile_x = x + static_cast<long long>(token0) * groups * group_size;
  float total[token_tiles][4] = {};
  if (block < blocks) {
    const T* block_scales = scales + static_cast<long long>(block) * groups * block_rows * 2;
    const std::uint32_t* block_words = words + words_at[block];
    const auto multiply_all = [&]<int bits>() {
      multiply_groups<T, config, bits>(tile_x, block_words, block_scales, groups, tile_tokens, part, lane,
                                       total);
    };
    switch (block_bits[block]) {
      case 2:
        multiply_all.template operator()<2>();
        break;
      case 3:
        multiply_all.template operator()<3>();
        break;
      case 4:
        multiply_all.template operator()<4>();
        break;
      default:
        multiply_all.template operator()<8>();
        break;
    }
  }
#pragma unroll
  for (int t = 0; t < token_tiles; ++t)
#pragma unroll
    for (int j = 0; j < 4; ++j)
      sums[own][part][8 * t + lane % 4 * 2 + j % 2][lane / 4 + j / 2 * 8] = total[t][j];
  __syncthreads();
  constexpr int rows = config.blocks * block_rows;
  for (int i = static_cast<int>(threadIdx.x); i < tile_tokens * rows; i += static_cast<int>(blockDim.x)) {
    const int token = i / rows;
    const int row = i % rows;
    if (first_block * block_rows + row >= out_features) continue;
    float sum = 0.0f;
#pragma unroll
    for (int other = 0; other < config.parts; ++other)
      sum += sums[row / block_rows][other][token][row % block_rows];
    y[static_cast<long long>(token0 + token) * out_features + first_block * block_rows + row] =
        static_cast<T>(sum);
  }
}

template <cuda::Element type>
cudaError_t launch_mma(std::size_t wanted, const DeviceOperands& operands, cudaStream_t stream) noexcept {
  using T = typename cuda::TypeOf<type>::Input;
  return with_index<mma_configs.size()>(wanted, [&]<std::size_t index>() {
    constexpr Config config = mma_configs[index];
    cudaLaunchConfig_t launch{};
    launch.gridDim = dim3(static_cast<unsigned>((operands.blocks + config.blocks - 1) / config.blocks),
                          static_cast<unsigned>((operands.tokens + config.tokens - 1) / config.tokens));
    launch.blockDim = dim3(config.warps() * 32);
    launch.stream = stream;
    return cudaLaunchKernelEx(&launch, mixed_bit_mma<T, index>, static_cast<const T*>(operands.x),
                              operands.words, operands.words_at, operands.block_bits,
                              static_cast<const T*>(operands.scales), static_cast<T*>(operands.y),
                              operands.tokens, operands.out_features, operands.groups, operands.blocks);
  });
}

}  // namespace adaptive::kernels::mixed_bit_matmul
