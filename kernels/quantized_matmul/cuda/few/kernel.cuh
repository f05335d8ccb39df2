#pragma once

#include <type_traits>

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/cuda/levels.cuh"
#include "kernels/quantized_matmul/cuda/written.cuh"

// For up to 16 tokens, where the time is that of reading W. Each weight is read once, 16 bytes at a time,
// straight into the registers in which mma.sync needs it: a lane's 16 neighbouring columns are the columns of
// the instruction in another order, and the activations are read in the same order. The weights are the first
// operand (16 rows), the tokens the second (8 tokens).
//
// The warps of a block share the columns in chunks of 128, a segment of scales by block. While a warp
// multiplies a chunk, its next one is on the way. At the end the sums of the warps are added in their order,
// so that the result always has the same bits.
//
// int8 times int8 is added in int32; float8 becomes float16 and int8 becomes bfloat16 in registers, both
// exactly, and is added in float32.
//
// The weights of a warp's first chunk are requested before the kernel waits for the one before it, which may
// have quantised the activations. Activations and their scales are therefore not read through the read-only
// path.

namespace adaptive::kernels::quantized_matmul {
namespace few {

constexpr int chunk = static_cast<int>(block_columns);

template <Types types>
constexpr bool wide = types == Types::int8_w8a16;
template <Types types, bool by_block>
using Total = std::conditional_t<types == Types::int8_w8a8 && !by_block, int, float>;

/// Loads 16 bytes of W, which are read only once, or zeros.
__device__ inline uint4 load_weights(const std::uint8_t* from, bool exists) {
  uint4 value = {0, 0, 0, 0};
  asm volatile(
      "{\n\t.reg .pred exists;\n\tsetp.ne.b32 exists, %5, 0;\n\t"
      "@exists ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];\n\t}"
      : "+r"(value.x), "+r"(value.y), "+r"(value.z), "+r"(value.w)
      : "l"(from), "r"(static_cast<int>(exists)));
  return value;
}

__device__ inline uint4 load_activations(const std::uint8_t* from, bool exists) {
  uint4 value = {0, 0, 0, 0};
  asm volatile(
      "{\n\t.reg .pred exists;\n\tsetp.ne.b32 exists, %5, 0;\n\t"
      "@exists ld.global.v4.u32 {%0, %1, %2, %3}, [%4];\n\t}"
      : "+r"(value.x), "+r"(value.y), "+r"(value.z), "+r"(value.w)
      : "l"(from), "r"(static_cast<int>(exists)));
  return value;
}

__device__ inline std::uint32_t word_of(uint4 value, int i) {
  return i == 0 ? value.x : i == 1 ? value.y : i == 2 ? value.z : value.w;
}

/// What a lane reads of a chunk: of each row tile the rows lane / 4 and that plus 8, of each token tile the
/// token lane / 4, both in two pieces of 16 columns.
template <Types types, bool by_block, int row_tiles, int token_tiles>
struct Chunk {
  static constexpr int x_loads = wide<types> ? 2 : 1;  // of 16 bytes for a piece
  uint4 w[row_tiles][2][2];                            // [tile][piece][row]
  uint4 x[token_tiles][2][x_loads];
  float x_scale[by_block ? token_tiles : 1][2];
  float w_scale;
};

/// Adds the products of a chunk to the sums [tile of rows][tile of tokens][4], in the layout of
/// mma.m16n8k32 or mma.m16n8k16.
template <Types types>
__device__ void multiply(int (&sum)[4], const uint4 (&w)[2], const uint4 (&x)[1]) {
  static_assert(types == Types::int8_w8a8);
#pragma unroll
  for (int i = 0; i < 4; i += 2)
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
        : "r"(word_of(w[0], i)), "r"(word_of(w[1], i)), "r"(word_of(w[0], i + 1)), "r"(word_of(w[1], i + 1)),
          "r"(word_of(x[0], i)), "r"(word_of(x[0], i + 1)));
}

template <Types types>
__device__ void multiply(float (&sum)[4], const uint4 (&w)[2], const uint4 (&x)[1]) {
  static_assert(types == Types::fp8_w8a8);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t upper = word_of(w[0], i);
    const std::uint32_t lower = word_of(w[1], i);
    const std::uint32_t a[4] = {halves_of_e4m3(upper & 0xFFFF), halves_of_e4m3(lower & 0xFFFF),
                                halves_of_e4m3(upper >> 16), halves_of_e4m3(lower >> 16)};
    const std::uint32_t b = word_of(x[0], i);
    ampere::multiply<__half>(sum, a, halves_of_e4m3(b & 0xFFFF), halves_of_e4m3(b >> 16));
  }
}

template <Types types>
__device__ void multiply(float (&sum)[4], const uint4 (&w)[2], const uint4 (&x)[2]) {
  static_assert(types == Types::int8_w8a16);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const uint2 upper = bfloat16_of_int8(word_of(w[0], i));
    const uint2 lower = bfloat16_of_int8(word_of(w[1], i));
    const std::uint32_t a[4] = {upper.x, lower.x, upper.y, lower.y};
    ampere::multiply<__nv_bfloat16>(sum, a, word_of(x[i / 2], i % 2 * 2), word_of(x[i / 2], i % 2 * 2 + 1));
  }
}

template <Types types, bool by_block, int row_tiles, int token_tiles>
class Multiplier {
 public:
  using Piece = Chunk<types, by_block, row_tiles, token_tiles>;
  /// Products that depend on each other wait for each other. With one tile, the two pieces have sums of their
  /// own.
  static constexpr int chains = row_tiles * token_tiles == 1 ? 2 : 1;

  __device__ Multiplier(const DeviceOperands& o, int row0, int lane) : o_(o), quarter_(lane % 4) {
    // Rows and tokens beyond the last are read as the last, and their sums are not stored.
    const long long row_bytes = o.in_features;
    const int first = min(row0 + lane / 4, o.out_features - 1);
    w_ = static_cast<const std::uint8_t*>(o.w) + first * row_bytes;
#pragma unroll
    for (int tile = 0; tile < row_tiles; ++tile)
#pragma unroll
      for (int half = 0; half < 2; ++half)
        w_offset_[tile][half] =
            (min(row0 + tile * 16 + half * 8 + lane / 4, o.out_features - 1) - first) * o.in_features;
#pragma unroll
    for (int tile = 0; tile < token_tiles; ++tile)
      x_offset_[tile] = min(tile * 8 + lane / 4, o.tokens - 1) * o.in_features * x_bytes;
    if constexpr (by_block) {
      w_scales_ = o.w_scales + static_cast<long long>(row0 / chunk) * o.w_scale_stride;
#pragma unroll
      for (int tile = 0; tile < token_tiles; ++tile)
#pragma unroll
        for (int i = 0; i < 2; ++i) token_[tile][i] = min(tile * 8 + quarter_ * 2 + i, o.tokens - 1);
    }
  }

  __device__ void load_w(Piece& to, int at) const {
    if constexpr (by_block) to.w_scale = __ldg(w_scales_ + at);
#pragma unroll
    for (int piece = 0; piece < 2; ++piece) {
      const int column = at * chunk + piece * 64 + quarter_ * 16;
      const bool exists = column < o_.in_features;
#pragma unroll
      for (int tile = 0; tile < row_tiles; ++tile)
#pragma unroll
        for (int half = 0; half < 2; ++half)
          to.w[tile][piece][half] = load_weights(w_ + w_offset_[tile][half] + column, exists);
    }
  }

  /// Only after wait_for_previous().
  __device__ void load_x(Piece& to, int at) const {
    // The scales come first, because they are needed with the first sum.
    if constexpr (by_block) {
#pragma unroll
      for (int tile = 0; tile < token_tiles; ++tile)
#pragma unroll
        for (int i = 0; i < 2; ++i)
          to.x_scale[tile][i] = load_written(o_.x_scales + (at * o_.tokens + token_[tile][i]));
    }
#pragma unroll
    for (int piece = 0; piece < 2; ++piece) {
      const int column = at * chunk + piece * 64 + quarter_ * 16;
      const bool exists = column < o_.in_features;
#pragma unroll
      for (int tile = 0; tile < token_tiles; ++tile)
#pragma unroll
        for (int i = 0; i < Piece::x_loads; ++i)
          to.x[tile][piece][i] = load_activations(
              static_cast<const std::uint8_t*>(o_.x) + (x_offset_[tile] + column * x_bytes + i * 16), exists);
    }
  }

  __device__ void multiply(const Piece& of,
                           Total<types, by_block> (&total)[row_tiles][token_tiles][chains][4]) const {
#pragma unroll
    for (int tile = 0; tile < row_tiles; ++tile)
#pragma unroll
      for (int tokens = 0; tokens < token_tiles; ++tokens) {
        if constexpr (by_block) {
          Total<types, false> sum[chains][4] = {};
#pragma unroll
          for (int piece = 0; piece < 2; ++piece)
            few::multiply<types>(sum[piece % chains], of.w[tile][piece], of.x[tokens][piece]);
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            Total<types, false> both = sum[0][i];
            if constexpr (chains == 2) both += sum[1][i];
            total[tile][tokens][0][i] = fmaf(static_cast<float>(both), of.x_scale[tokens][i % 2] * of.w_scale,
                                             total[tile][tokens][0][i]);
          }
        } else {
#pragma unroll
          for (int piece = 0; piece < 2; ++piece)
            few::multiply<types>(total[tile][tokens][piece % chains], of.w[tile][piece], of.x[tokens][piece]);
        }
      }
  }

 private:
  static constexpr int x_bytes = wide<types> ? 2 : 1;
  const DeviceOperands& o_;
  int quarter_;
  const std::uint8_t* w_;
  int w_offset_[row_tiles][2];
  int x_offset_[token_tiles];
  const float* w_scales_ = nullptr;
  int token_[by_block ? token_tiles : 1][2];
};

}  // namespace few

template <Types types, bool by_block, int rows, int warps, int token_tiles>
__global__ void __launch_bounds__(warps * 32, FewConfig{rows, warps}.resident())
    multiply_few(const __grid_constant__ DeviceOperands o) {
  constexpr int row_tiles = rows / 16;
  using Multiplier = few::Multiplier<types, by_block, row_tiles, token_tiles>;
  using Total = few::Total<types, by_block>;
  constexpr int tokens = token_tiles * 8;
  __shared__ Total sums[warps][tokens][rows + 1];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int row0 = static_cast<int>(blockIdx.x) * rows;
  const int chunks = (o.in_features + few::chunk - 1) / few::chunk;

  Total total[row_tiles][token_tiles][Multiplier::chains][4] = {};
  const Multiplier multiplier(o, row0, lane);
  typename Multiplier::Piece next = {};
  if (warp < chunks) multiplier.load_w(next, warp);
  cuda::wait_for_previous();
  cuda::let_next_begin();

  // Each thread stores some elements at the end. Their scales are loaded now, because nothing would hide the
  // wait then.
  constexpr int stored = (rows * tokens + warps * 32 - 1) / (warps * 32);
  float scale[by_block ? 1 : stored] = {};
  if constexpr (!by_block) {
    const bool tensor = o.scales == Scales::tensor;
#pragma unroll
    for (int i = 0; i < stored; ++i) {
      const int at = static_cast<int>(threadIdx.x) + i * warps * 32;
      const float x_scale =
          few::wide<types> ? 1.0f : load_written(o.x_scales + (tensor ? 0 : min(at / rows, o.tokens - 1)));
      scale[i] = x_scale * o.w_scales[tensor ? 0 : min(row0 + at % rows, o.out_features - 1)];
    }
  }

  if (warp < chunks) {
    multiplier.load_x(next, warp);
#pragma unroll 1
    for (int at = warp; at < chunks; at += warps) {
      const typename Multiplier::Piece now = next;
      if (at + warps < chunks) {
        multiplier.load_w(next, at + warps);
        multiplier.load_x(next, at + warps);
      }
      multiplier.multiply(now, total);
    }
  }
#pragma unroll
  for (int tile = 0; tile < row_tiles; ++tile)
#pragma unroll
    for (int of = 0; of < token_tiles; ++of)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        Total sum = total[tile][of][0][i];
        if constexpr (!by_block && Multiplier::chains == 2) sum += total[tile][of][1][i];
        sums[warp][of * 8 + lane % 4 * 2 + i % 2][tile * 16 + i / 2 * 8 + lane / 4] = sum;
      }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < stored; ++i) {
    const int at = static_cast<int>(threadIdx.x) + i * warps * 32;
    const int token = at / rows;
    const int row = row0 + at % rows;
    if (at >= rows * tokens || token >= o.tokens || row >= o.out_features) continue;
    Total sum = 0;
#pragma unroll
    for (int of = 0; of < warps; ++of) sum += sums[of][token][at % rows];
    float value = static_cast<float>(sum);
    if constexpr (!by_block) value *= scale[i];
    static_cast<__nv_bfloat16*>(o.y)[static_cast<long long>(token) * o.out_features + row] =
        __float2bfloat16_rn(value);
  }
}

}  // namespace adaptive::kernels::quantized_matmul
