#pragma once

#include <cstdint>

#include "kernels/fused_moe/operands.hpp"

// The entry points of the files that are compiled for an instruction set. The products themselves are those
// of grouped_gemm, quantized_matmul and mixed_bit_matmul; here is what only this family has.

namespace adaptive::kernels::fused_moe {

/// Number of columns of packed weights that are stored together, as in grouped_gemm.
inline constexpr std::int64_t block_columns = 16;

/// Computes h = activation(gate, up) for any number of columns. The same bits for AVX2 and AVX-512.
using Activate = void (*)(const float* gate, const float* up, std::int64_t columns, Activation activation,
                          float* h) noexcept;

/// Computes y += weight * z.
using AddScaled = void (*)(const float* z, float weight, std::int64_t columns, float* y) noexcept;

struct Elementwise {
  Activate activate;
  AddScaled add_scaled;
};

/// The products gate and up of the rows of one expert, whose activation is applied to the sums in registers.
/// Weights are float or bfloat16, packed as in grouped_gemm: [blocks][k_stride][16].
struct Pairs {
  const void* gate;  ///< the expert's first block
  const void* up;    ///< likewise
  bool is_bfloat16;
  Activation activation;
  std::int64_t k_stride, h_stride;
  std::int64_t tiles;  ///< of T rows, of which those that do not exist are zero
  const float* x;      ///< [tiles][k_stride][T]
  float* h;            ///< [tiles][h_stride][T]
};

/// Computes blocks [begin, end) of 16 columns of h.
using PairKernel = void (*)(const Pairs& pairs, std::int64_t begin, std::int64_t end) noexcept;

void activate_portable(const float*, const float*, std::int64_t, Activation, float*) noexcept;
void add_scaled_portable(const float*, float, std::int64_t, float*) noexcept;

void activate_avx2(const float*, const float*, std::int64_t, Activation, float*) noexcept;
void add_scaled_avx2(const float*, float, std::int64_t, float*) noexcept;
void pairs1_avx2(const Pairs&, std::int64_t, std::int64_t) noexcept;
void pairs6_avx2(const Pairs&, std::int64_t, std::int64_t) noexcept;

void activate_avx512(const float*, const float*, std::int64_t, Activation, float*) noexcept;
void add_scaled_avx512(const float*, float, std::int64_t, float*) noexcept;
void pairs1_avx512(const Pairs&, std::int64_t, std::int64_t) noexcept;
void pairs4_avx512(const Pairs&, std::int64_t, std::int64_t) noexcept;
void pairs12_avx512(const Pairs&, std::int64_t, std::int64_t) noexcept;

}  // namespace adaptive::kernels::fused_moe
