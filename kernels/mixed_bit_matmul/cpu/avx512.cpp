#include <immintrin.h>

#include "kernels/common/static_for.hpp"
#include "kernels/mixed_bit_matmul/cpu/kernels.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

#include "kernels/common/cpu/vector_avx512.inl"

struct Levels {
  // A permutation uses only the low four bits of its index, which saves the mask and the conversion. The bits
  // of the index that are not part of the field may have any value, so the table repeats its entries.
  template <int Bits>
  static ADAPTIVE_INLINE Vector::Float level(Vector::Int low, Vector::Int high) {
    if constexpr (Bits == 2) {
      return _mm512_permutexvar_ps(low, _mm512_setr_ps(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3));
    } else if constexpr (Bits == 3) {
      constexpr int choose = 0xca;  // bits of the first operand choose between the other two
      const __m512i index = _mm512_ternarylogic_epi32(_mm512_set1_epi32(4), high, low, choose);
      return _mm512_permutexvar_ps(index, _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7));
    } else if constexpr (Bits == 4) {
      return _mm512_permutexvar_ps(low, _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    } else {
      return _mm512_cvtepi32_ps(_mm512_and_si512(low, _mm512_set1_epi32(255)));
    }
  }

  template <int Bits>
  static ADAPTIVE_INLINE void next(Vector::Int& low, Vector::Int& high) {
    low = _mm512_srli_epi32(low, Bits == 3 ? 2 : Bits);
    if constexpr (Bits == 3) high = _mm512_srli_epi32(high, 1);
  }

  static ADAPTIVE_INLINE Vector::Int high_bits(Vector::Int words, int word) {
    return _mm512_slli_epi32(_mm512_srl_epi32(words, _mm_cvtsi32_si128(word % 2 * 16)), 2);
  }
};

#include "kernels/common/cpu/panel_multiply.inl"

#include "kernels/mixed_bit_matmul/cpu/tile.inl"

#include "kernels/mixed_bit_matmul/cpu/panel.inl"

}  // namespace

void tile1_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  compute_share<1, 4>(operands, scratch, share);
}

void tile4_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  compute_share<4, 2>(operands, scratch, share);
}

void tile8_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  compute_share<8, 2>(operands, scratch, share);
}

void tile16_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  compute_share<16, 1>(operands, scratch, share);
}

void panel_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_share<12, 2>(operands, scratch, share);
}

void dequantise_avx512(const Operands& operands, std::int64_t block, std::int64_t first_group,
                       std::int64_t groups, float* panel, std::int64_t stride) noexcept {
  dequantise(operands, block, first_group, groups, panel, stride);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
