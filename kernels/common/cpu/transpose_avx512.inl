// Included inside an anonymous namespace after common/static_for.hpp.

/// Transposes a 16 x 16 matrix, out[i][j] = in[j][i], exchanging pairs, fours, eights and sixteens of rows.
ADAPTIVE_INLINE void transpose(__m512 (&v)[16]) {
  __m512 u[16];
  static_for<8>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    u[2 * i] = _mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]);
    u[2 * i + 1] = _mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]);
  });
  static_for<4>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    static_for<2>([&]<int h>() ADAPTIVE_INLINE_LAMBDA {
      const __m512d a = _mm512_castps_pd(u[4 * i + h]);
      const __m512d b = _mm512_castps_pd(u[4 * i + 2 + h]);
      v[4 * i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
      v[4 * i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
    });
  });
  static_for<4>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    static_for<2>([&]<int h>() ADAPTIVE_INLINE_LAMBDA {
      u[8 * h + i] = _mm512_shuffle_f32x4(v[8 * h + i], v[8 * h + 4 + i], 0x88);
      u[8 * h + 4 + i] = _mm512_shuffle_f32x4(v[8 * h + i], v[8 * h + 4 + i], 0xdd);
    });
  });
  static_for<8>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    v[i] = _mm512_shuffle_f32x4(u[i], u[8 + i], 0x88);
    v[8 + i] = _mm512_shuffle_f32x4(u[i], u[8 + i], 0xdd);
  });
}
