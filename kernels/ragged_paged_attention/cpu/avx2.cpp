#include <immintrin.h>

#include <cstdint>

#include "kernels/common/static_for.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"

// Compiled with AVX2: common/cpu/vector_avx2.inl says what this file must not do.

namespace adaptive::kernels::ragged_paged_attention {
namespace {

#include "kernels/common/cpu/vector_avx2.inl"

#include "kernels/ragged_paged_attention/cpu/softmax.inl"

ADAPTIVE_INLINE void store_sums(__m256 a, __m256 b, __m256 c, __m256 d, float* to) {
  const __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1)));
}

ADAPTIVE_INLINE void store_first_sum(__m256 a, float* to) {
  float four[4];
  store_sums(a, a, a, a, four);
  *to = four[0];
}

/// The bits of a float8 in the place of a float's: 2^-120 times its value, small numbers included.
struct Float8Loader {
  using Stored = std::uint8_t;
  static constexpr float factor = 1;
  static ADAPTIVE_INLINE __m256 load(const std::uint8_t* from) {
    const __m256i bits = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    const __m256i magnitude = _mm256_slli_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x7f)), 20);
    const __m256i sign = _mm256_slli_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x80)), 24);
    return _mm256_mul_ps(_mm256_castsi256_ps(_mm256_or_si256(magnitude, sign)), _mm256_set1_ps(0x1p120F));
  }
};

#include "kernels/ragged_paged_attention/cpu/rows.inl"

/// An 8 x 8 matrix, exchanging pairs, fours and eights of rows. `out` rows are 16 floats apart.
ADAPTIVE_INLINE void transpose_eight(const __m256 (&v)[8], float* out) {
  __m256 u[8], w[8];
  static_for<4>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    u[2 * i] = _mm256_unpacklo_ps(v[2 * i], v[2 * i + 1]);
    u[2 * i + 1] = _mm256_unpackhi_ps(v[2 * i], v[2 * i + 1]);
  });
  static_for<2>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    static_for<2>([&]<int h>() ADAPTIVE_INLINE_LAMBDA {
      w[4 * i + 2 * h] = _mm256_shuffle_ps(u[4 * i + h], u[4 * i + 2 + h], 0x44);
      w[4 * i + 2 * h + 1] = _mm256_shuffle_ps(u[4 * i + h], u[4 * i + 2 + h], 0xee);
    });
  });
  static_for<4>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    _mm256_storeu_ps(out + i * 16, _mm256_permute2f128_ps(w[i], w[4 + i], 0x20));
    _mm256_storeu_ps(out + (4 + i) * 16, _mm256_permute2f128_ps(w[i], w[4 + i], 0x31));
  });
}

template <class Loader>
ADAPTIVE_INLINE void transpose_keys(const typename Loader::Stored* from, std::int64_t stride,
                                    std::int64_t from_row, std::int64_t to_row, float* to) {
  for (std::int64_t row = 0; row < 16; row += 8)
    for (std::int64_t column = 0; column < 16; column += 8) {
      __m256 v[8];
      static_for<8>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
        v[i] = row + i >= from_row && row + i < to_row ? Loader::load(from + (row + i) * stride + column)
                                                       : Vector::zero();
      });
      transpose_eight(v, to + column * 16 + row);
    }
}

#include "kernels/ragged_paged_attention/cpu/panel.inl"

#include "kernels/ragged_paged_attention/cpu/with_loader.inl"

}  // namespace

void rows2_avx2(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) noexcept {
  with_loader(o.type, [&]<class Loader>() { attend_token<Loader, FloatDots<Loader>, 2>(o, item, s, keys); });
}

void panel6_avx2(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) noexcept {
  with_loader(o.type, [&]<class Loader>() { attend_rows<Loader, 6, 2>(o, item, s, keys); });
}

}  // namespace adaptive::kernels::ragged_paged_attention
