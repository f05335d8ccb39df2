// Sums of the lanes of four vectors. Included inside an anonymous namespace after
// common/cpu/vector_avx512.inl.

ADAPTIVE_INLINE void store_sums(__m512 a, __m512 b, __m512 c, __m512 d, float* to) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512 four =
      _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))),
                    _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))));
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(four), _mm512_extractf32x8_ps(four, 1));
  _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}

/// The same order of additions for one vector.
ADAPTIVE_INLINE void store_first_sum(__m512 a, float* to) {
  float four[4];
  store_sums(a, a, a, a, four);
  *to = four[0];
}
