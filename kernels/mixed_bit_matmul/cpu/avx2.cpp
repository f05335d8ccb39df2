#include <immintrin.h>

#include "kernels/common/static_for.hpp"
#include "kernels/mixed_bit_matmul/cpu/kernels.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

#include "kernels/common/cpu/vector_avx2.inl"

struct Levels {
  // The permutation uses only the low three bits of its index. That is sufficient for widths 2 and 3, where
  // it saves the mask and the conversion.
  template <int Bits>
  static ADAPTIVE_INLINE Vector::Float level(Vector::Int low, Vector::Int high) {
    if constexpr (Bits == 2) {
      return _mm256_permutevar8x32_ps(_mm256_setr_ps(0, 1, 2, 3, 0, 1, 2, 3), low);
    } else if constexpr (Bits == 3) {
      const __m256i four = _mm256_set1_epi32(4);
      const __m256i index = _mm256_or_si256(_mm256_andnot_si256(four, low), _mm256_and_si256(four, high));
      return _mm256_permutevar8x32_ps(_mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), index);
    } else {
      return _mm256_cvtepi32_ps(_mm256_and_si256(low, _mm256_set1_epi32((1 << Bits) - 1)));
    }
  }

  template <int Bits>
  static ADAPTIVE_INLINE void next(Vector::Int& low, Vector::Int& high) {
    low = _mm256_srli_epi32(low, Bits == 3 ? 2 : Bits);
    if constexpr (Bits == 3) high = _mm256_srli_epi32(high, 1);
  }

  static ADAPTIVE_INLINE Vector::Int high_bits(Vector::Int words, int word) {
    return _mm256_slli_epi32(_mm256_srl_epi32(words, _mm_cvtsi32_si128(word % 2 * 16)), 2);
  }
};

#include "kernels/common/cpu/panel_multiply.inl"

#include "kernels/mixed_bit_matmul/cpu/tile.inl"

#include "kernels/mixed_bit_matmul/cpu/panel.inl"

}  // namespace

void tile1_avx2(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  compute_share<1, 4>(operands, scratch, share);
}

void tile4_avx2(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  compute_share<4, 2>(operands, scratch, share);
}

void panel_avx2(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_share<6, 2>(operands, scratch, share);
}

void dequantise_avx2(const Operands& operands, std::int64_t block, std::int64_t first_group,
                     std::int64_t groups, float* panel, std::int64_t stride) noexcept {
  dequantise(operands, block, first_group, groups, panel, stride);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
