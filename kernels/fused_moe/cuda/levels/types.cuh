#pragma once

#include <cuda_bf16.h>

#include <cstdint>
#include <cstring>

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/fused_moe/cuda/levels/config.hpp"
#include "kernels/grouped_gemm/cuda/mma_kernel.cuh"

// How the stream kernel multiplies a slab, which is 128 columns of the weights and of the rows of x, for each
// type. 64 rows of the weights are the first operand of wgmma, and the rows of x the second. A row of a slab
// of x has 128 bytes (levels), or two lines of 128 bytes (bfloat16), with the 128-byte swizzle.
//
// Weights that are to be widened go through registers. A lane then has neighbouring weights, which are not
// neighbours in an instruction; so the pairs of columns of x are stored in another order.

namespace adaptive::kernels::fused_moe::levels {

using ampere::Address;

constexpr int slab = stage_depth;  ///< columns

/// When the scales are applied.
enum class Scaling {
  slab,  ///< to the partial sums of each slab, or of each half of it
  end    ///< to the sums of all columns
};

namespace detail {

/// Subtracts bfloat16 numbers, two at a time; the results are exact for the uses here.
__device__ inline std::uint32_t subtract(std::uint32_t a, std::uint32_t b) {
  __nv_bfloat162 first, second;
  memcpy(&first, &a, sizeof a);
  memcpy(&second, &b, sizeof b);
  const __nv_bfloat162 difference = __hsub2(first, second);
  std::uint32_t bits;
  memcpy(&bits, &difference, sizeof bits);
  return bits;
}

/// The low seven bits of an int8 go to the mantissa of 128, and 128 or, for a negative one, 256 is
/// subtracted. A number is in the low byte of each half.
__device__ inline std::uint32_t bfloat16_of_int8(std::uint32_t pair) {
  return subtract((pair & 0x007F007Fu) | 0x43004300u, (pair & 0x00800080u) | 0x43004300u);
}

/// bfloat16 of 128 + level, less 136.
__device__ inline std::uint32_t bfloat16_of_four_bits(std::uint32_t pair) {
  return subtract((pair & 0x000F000Fu) | 0x43004300u, 0x43084308u);
}

}  // namespace detail

/// Levels of one byte in both operands.
template <class SumType>
struct Levels {
  using Sum = SumType;
  static constexpr StageLines lines = levels_lines;
  static constexpr int parts = 1;  ///< of a slab that have scales of their own

  template <int rows>
  __device__ static void multiply(Sum (&sums)[parts][rows / 2], Address w, Address x, bool add) {
    Sum(&sum)[rows / 2] = sums[0];
    const std::uint64_t w_at = hopper::describe(w);
    const std::uint64_t x_at = hopper::describe(x);
    hopper::wgmma_fence();
#pragma unroll
    for (int into = 0; into < 128; into += 32)
      hopper::MultiplyLevels<Sum, rows>::run(sum, w_at + hopper::steps_of(into),
                                             x_at + hopper::steps_of(into), into > 0 || add);
    hopper::wgmma_commit();
    hopper::wgmma_wait<0>();
    hopper::pin(sum);
  }
};

/// float8 e4m3 with scales of blocks: of 128 columns of a row of x, and of 128 rows by 128 columns of the
/// weights.
struct Float8Blocks : Levels<float> {
  static constexpr Scaling scaling = Scaling::slab;
  static constexpr bool scales_x = true;
  static constexpr bool scales_rows = false;  ///< whether each row of the weights has scales of its own
};

/// int8 with a scale for each row of x and of the weights.
struct Int8Both : Levels<int> {
  static constexpr Scaling scaling = Scaling::end;
  static constexpr bool scales_x = true;
  static constexpr bool scales_rows = true;
};

/// int8 with a scale for each row; x is bfloat16. A lane has four neighbouring weights of two rows.
struct Int8Weights {
  using Sum = float;
  static constexpr StageLines lines = {2, 128};
  static constexpr int parts = 1;
  static constexpr Scaling scaling = Scaling::end;
  static constexpr bool scales_x = false;
  static constexpr bool scales_rows = true;

  /// The place in a line of x of its pair of columns number `pair`.
  __device__ static int place_of_pair(int pair) { return pair / 8 * 8 + pair % 2 * 4 + pair % 8 / 2; }

  template <int rows>
  __device__ static void multiply(float (&sums)[parts][rows / 2], Address w, Address x, bool add) {
    namespace mma = grouped_gemm::mma;
    float(&sum)[rows / 2] = sums[0];
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = static_cast<int>(threadIdx.x) / 32 * 16 + lane % 16;
    uint4 narrow[4];
#pragma unroll
    for (int step = 0; step < 4; ++step)
      narrow[step] = ampere::load_matrices(w + mma::place(row, 2 * step + lane / 16));
      // 32 columns are multiplied while the next ones are being widened.
#pragma unroll
    for (int step = 0; step < 4; ++step) {
      const std::uint32_t a[2][4] = {{detail::bfloat16_of_int8(__byte_perm(narrow[step].x, 0, 0x4140)),
                                      detail::bfloat16_of_int8(__byte_perm(narrow[step].y, 0, 0x4140)),
                                      detail::bfloat16_of_int8(__byte_perm(narrow[step].x, 0, 0x4342)),
                                      detail::bfloat16_of_int8(__byte_perm(narrow[step].y, 0, 0x4342))},
                                     {detail::bfloat16_of_int8(__byte_perm(narrow[step].z, 0, 0x4140)),
                                      detail::bfloat16_of_int8(__byte_perm(narrow[step].w, 0, 0x4140)),
                                      detail::bfloat16_of_int8(__byte_perm(narrow[step].z, 0, 0x4342)),
                                      detail::bfloat16_of_int8(__byte_perm(narrow[step].w, 0, 0x4342))}};
      hopper::wgmma_fence();
#pragma unroll
      for (int half = 0; half < 2; ++half)
        hopper::MultiplyRegisters<__nv_bfloat16, rows>::run(
            sum, a[half],
            hopper::describe(x + static_cast<unsigned>(step / 2 * rows * 128 + step % 2 * 64 + half * 32)),
            step > 0 || half > 0 || add);
      hopper::wgmma_commit();
    }
    hopper::wgmma_wait<0>();
    hopper::pin(sum);
  }
};

/// Levels 0 to 15 less 8 with a scale for 64 columns of a row; x is bfloat16. A lane has eight neighbouring
/// weights of two rows.
struct FourBits {
  using Sum = float;
  static constexpr StageLines lines = {2, 64};
  static constexpr int parts = 2;
  static constexpr Scaling scaling = Scaling::slab;
  static constexpr bool scales_x = false;
  static constexpr bool scales_rows = true;

  __device__ static int place_of_pair(int pair) {
    return pair / 16 * 16 + pair % 4 / 2 * 8 + pair % 2 * 4 + pair % 16 / 4;
  }

  template <int rows>
  __device__ static void multiply(float (&sums)[parts][rows / 2], Address w, Address x, bool /*add*/) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = static_cast<int>(threadIdx.x) / 32 * 16 + lane % 16;
    uint4 narrow[parts];
#pragma unroll
    for (int part = 0; part < parts; ++part)
      narrow[part] = ampere::load_matrices(
          w + static_cast<unsigned>(row * 64 + ((2 * part + lane / 16) ^ row / 2 % 4) * 16));
      // 32 columns are multiplied while the next ones are being widened.
#pragma unroll
    for (int step = 0; step < 2 * parts; ++step) {
      const uint4& four = narrow[step / 2];
      const std::uint32_t low = step % 2 == 0 ? four.x : four.z;
      const std::uint32_t high = step % 2 == 0 ? four.y : four.w;
      std::uint32_t a[2][4];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        a[half][0] = detail::bfloat16_of_four_bits(low >> (8 * half));
        a[half][1] = detail::bfloat16_of_four_bits(high >> (8 * half));
        a[half][2] = detail::bfloat16_of_four_bits(low >> (8 * half + 4));
        a[half][3] = detail::bfloat16_of_four_bits(high >> (8 * half + 4));
      }
      hopper::wgmma_fence();
#pragma unroll
      for (int half = 0; half < 2; ++half)
        hopper::MultiplyRegisters<__nv_bfloat16, rows>::run(
            sums[step / 2], a[half],
            hopper::describe(x + static_cast<unsigned>(step / 2 * rows * 128 + step % 2 * 64 + half * 32)),
            step % 2 > 0 || half > 0);
      hopper::wgmma_commit();
    }
    hopper::wgmma_wait<0>();
#pragma unroll
    for (int part = 0; part < parts; ++part) hopper::pin(sums[part]);
  }
};

}  // namespace adaptive::kernels::fused_moe::levels
