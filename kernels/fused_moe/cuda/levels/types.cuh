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

/// hopper::MultiplyRegisters for 16 columns as well.
template <int rows>
__device__ void multiply_registers(float (&sum)[rows / 2], const std::uint32_t (&a)[4], std::uint64_t x,
                                   int add) {
  if constexpr (rows == 16)
    asm volatile(
        "{\n\t.reg .pred p;\n\tsetp.ne.b32 p, %13, 0;\n\t"
        "wgmma.mma_async.sync.aligned.m64n16k16.f32.bf16.bf16 {%0, %1, %2, %3, %4, %5, %6, %7}, "
        "{%8, %9, %10, %11}, %12, p, 1, 1, 0;\n\t}"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]), "+f"(sum[4]), "+f"(sum[5]), "+f"(sum[6]),
          "+f"(sum[7])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(x), "r"(add));
  else
    hopper::MultiplyRegisters<__nv_bfloat16, rows>::run(sum, a, x, add);
}

}  // namespace detail

/// Levels of one byte in both operands.
template <class SumType>
struct Levels {
  using Sum = SumType;
  static constexpr StageLines lines = levels_lines;
  static constexpr int parts = 1;  ///< of a slab that have scales of their own

  template <int rows>
  __device__ static void multiply(Sum (&sum)[rows / 2], Address w, Address x, int /*part*/, bool add) {
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
  __device__ static void multiply(float (&sum)[rows / 2], Address w, Address x, int /*part*/, bool add) {
    namespace mma = grouped_gemm::mma;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = static_cast<int>(threadIdx.x) / 32 * 16 + lane % 16;
    std::uint32_t a[8][4];
#pragma unroll
    for (int step = 0; step < 4; ++step) {
      const uint4 narrow = ampere::load_matrices(w + mma::place(row, 2 * step + lane / 16));
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const std::uint32_t low = half == 0 ? narrow.x : narrow.z;
        const std::uint32_t high = half == 0 ? narrow.y : narrow.w;
        std::uint32_t(&to)[4] = a[2 * step + half];
        to[0] = detail::bfloat16_of_int8(__byte_perm(low, 0, 0x4140));
        to[1] = detail::bfloat16_of_int8(__byte_perm(high, 0, 0x4140));
        to[2] = detail::bfloat16_of_int8(__byte_perm(low, 0, 0x4342));
        to[3] = detail::bfloat16_of_int8(__byte_perm(high, 0, 0x4342));
      }
    }
    hopper::wgmma_fence();
#pragma unroll
    for (int step = 0; step < 8; ++step)
      detail::multiply_registers<rows>(
          sum, a[step], hopper::describe(x + static_cast<unsigned>(step / 4 * rows * 128 + step % 4 * 32)),
          step > 0 || add);
    hopper::wgmma_commit();
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
  __device__ static void multiply(float (&sum)[rows / 2], Address w, Address x, int part, bool add) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = static_cast<int>(threadIdx.x) / 32 * 16 + lane % 16;
    const uint4 narrow = ampere::load_matrices(
        w + static_cast<unsigned>(row * 64 + ((2 * part + lane / 16) ^ row / 2 % 4) * 16));
    std::uint32_t a[4][4];
#pragma unroll
    for (int step = 0; step < 4; ++step) {
      const std::uint32_t low = step < 2 ? narrow.x : narrow.z;
      const std::uint32_t high = step < 2 ? narrow.y : narrow.w;
      const int from = step % 2 * 8;
      a[step][0] = detail::bfloat16_of_four_bits(low >> from);
      a[step][1] = detail::bfloat16_of_four_bits(high >> from);
      a[step][2] = detail::bfloat16_of_four_bits(low >> (from + 4));
      a[step][3] = detail::bfloat16_of_four_bits(high >> (from + 4));
    }
    hopper::wgmma_fence();
#pragma unroll
    for (int step = 0; step < 4; ++step)
      detail::multiply_registers<rows>(
          sum, a[step], hopper::describe(x + static_cast<unsigned>(part * rows * 128 + step * 32)),
          step > 0 || add);
    hopper::wgmma_commit();
    hopper::wgmma_wait<0>();
    hopper::pin(sum);
  }
};

}  // namespace adaptive::kernels::fused_moe::levels
