#pragma once

#include <cstdint>

#include "kernels/quantized_matmul/operands.hpp"

// The entry points of the files in this folder.

namespace adaptive::kernels::quantized_matmul {

/// Rows of W that are stored together when packed.
inline constexpr std::int64_t block_rows = 16;

/// W in the order in which kernels read it, created with the problem; rows past out_features are zero.
struct Weights {
  /// int8_w8a8: [blocks][k_stride / 4][16][4]; otherwise [blocks][k_stride][16].
  const std::uint8_t* levels;
  /// [segments][blocks * 16]. Those of float8 are multiplied by 256, because kernels read a level as a
  /// float16, whose exponent is greater by 8.
  const float* scales;
  /// int8_w8a8: 128 times the sum of the levels of a row, [segments][blocks * 16].
  const std::int32_t* sums;
};

/// The activations of some tokens, which a kernel computes at once. Those of missing tokens are zero.
struct Tile {
  const std::int8_t* integers;  ///< int8_w8a8: [k_stride / 4][tile][4]
  const float* floats;          ///< otherwise: [k_stride][tile]
  const float* scales;          ///< [segments][tile]
  std::int64_t first_token, tokens;
};

/// Blocks [begin, end) of 16 rows of W.
struct Share {
  std::int64_t begin, end;
};

using Kernel = void (*)(const Operands&, const Weights&, const Tile&, Share) noexcept;

void integers2_portable(const Operands&, const Weights&, const Tile&, Share) noexcept;

void integers1_avx2(const Operands&, const Weights&, const Tile&, Share) noexcept;
void integers4_avx2(const Operands&, const Weights&, const Tile&, Share) noexcept;

void integers1_vnni(const Operands&, const Weights&, const Tile&, Share) noexcept;
void integers4_vnni(const Operands&, const Weights&, const Tile&, Share) noexcept;
void integers8_vnni(const Operands&, const Weights&, const Tile&, Share) noexcept;

void floats1_avx512(const Operands&, const Weights&, const Tile&, Share) noexcept;
void floats4_avx512(const Operands&, const Weights&, const Tile&, Share) noexcept;
void floats12_avx512(const Operands&, const Weights&, const Tile&, Share) noexcept;

/// Floats that eigen_dequantise needs as scratch memory.
inline constexpr std::int64_t eigen_scratch = 2 * 128 * 128;

/// Decodes 128 × 128 weights at once, and multiplies them by Eigen. `levels` are [tokens][k_stride],
/// `x_scales` [tokens][segments], `value_of` has the value of each of the 256 levels of W.
void eigen_dequantise(const Operands& operands, const float* levels, const float* x_scales,
                      const float* value_of, float* scratch) noexcept;

}  // namespace adaptive::kernels::quantized_matmul
