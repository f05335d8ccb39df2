#include <immintrin.h>

#include "kernels/common/static_for.hpp"
#include "kernels/fused_moe/cpu/kernels.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

#include "kernels/common/cpu/vector_avx512.inl"

struct Math {
  static ADAPTIVE_INLINE __m512 subtract(__m512 a, __m512 b) { return _mm512_sub_ps(a, b); }
  static ADAPTIVE_INLINE __m512 multiply(__m512 a, __m512 b) { return _mm512_mul_ps(a, b); }
  static ADAPTIVE_INLINE __m512 divide(__m512 a, __m512 b) { return _mm512_div_ps(a, b); }
  static ADAPTIVE_INLINE __m512 minimum(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
  static ADAPTIVE_INLINE __m512 maximum(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
  static ADAPTIVE_INLINE __m512 power(__m512 shifted) {
    const __m512i bits = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(bits, _mm512_set1_epi32(0x3f800000)));
  }
};

#include "kernels/fused_moe/cpu/elementwise.inl"

#include "kernels/fused_moe/cpu/pairs.inl"

}  // namespace

void activate_avx512(const float* gate, const float* up, std::int64_t columns, Activation activation,
                     float* h) noexcept {
  activate(gate, up, columns, activation, h);
}

void add_scaled_avx512(const float* z, float weight, std::int64_t columns, float* y) noexcept {
  add_scaled(z, weight, columns, y);
}

void pairs1_avx512(const Pairs& pairs, std::int64_t begin, std::int64_t end) noexcept {
  multiply_pairs<1, 4>(pairs, begin, end);
}

void pairs4_avx512(const Pairs& pairs, std::int64_t begin, std::int64_t end) noexcept {
  multiply_pairs<4, 2>(pairs, begin, end);
}

void pairs12_avx512(const Pairs& pairs, std::int64_t begin, std::int64_t end) noexcept {
  multiply_pairs<12, 1>(pairs, begin, end);
}

}  // namespace adaptive::kernels::fused_moe
