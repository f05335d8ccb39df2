#include <immintrin.h>

#include "kernels/common/static_for.hpp"
#include "kernels/fused_moe/cpu/kernels.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

#include "kernels/common/cpu/vector_avx2.inl"

struct Math {
  static ADAPTIVE_INLINE __m256 subtract(__m256 a, __m256 b) { return _mm256_sub_ps(a, b); }
  static ADAPTIVE_INLINE __m256 multiply(__m256 a, __m256 b) { return _mm256_mul_ps(a, b); }
  static ADAPTIVE_INLINE __m256 divide(__m256 a, __m256 b) { return _mm256_div_ps(a, b); }
  static ADAPTIVE_INLINE __m256 minimum(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
  static ADAPTIVE_INLINE __m256 maximum(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
  static ADAPTIVE_INLINE __m256 power(__m256 shifted) {
    const __m256i bits = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(bits, _mm256_set1_epi32(0x3f800000)));
  }
};

#include "kernels/fused_moe/cpu/elementwise.inl"

#include "kernels/fused_moe/cpu/pairs.inl"

}  // namespace

void activate_avx2(const float* gate, const float* up, std::int64_t columns, Activation activation,
                   float* h) noexcept {
  activate(gate, up, columns, activation, h);
}

void add_scaled_avx2(const float* z, float weight, std::int64_t columns, float* y) noexcept {
  add_scaled(z, weight, columns, y);
}

void pairs1_avx2(const Pairs& pairs, std::int64_t begin, std::int64_t end) noexcept {
  multiply_pairs<1, 4>(pairs, begin, end);
}

void pairs6_avx2(const Pairs& pairs, std::int64_t begin, std::int64_t end) noexcept {
  multiply_pairs<6, 1>(pairs, begin, end);
}

}  // namespace adaptive::kernels::fused_moe
