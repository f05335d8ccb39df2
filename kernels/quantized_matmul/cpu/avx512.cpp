#include <immintrin.h>

#include <cstdint>

#include "kernels/common/static_for.hpp"
#include "kernels/quantized_matmul/cpu/kernels.hpp"

// Weights of one byte become floats in registers. A float8 has the bits of a float16 with other numbers of
// bits of exponent, so its conversion is that of a float16, subnormal numbers included; it yields 1/256 of
// the value.
//
// Compiled with AVX-512: common/cpu/vector_avx512.inl says what this file must not do.

namespace adaptive::kernels::quantized_matmul {
namespace {

struct Int8 {
  static ADAPTIVE_INLINE __m512 load(const std::uint8_t* from) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
  }
};

struct Float8 {
  static ADAPTIVE_INLINE __m512 load(const std::uint8_t* from) {
    const __m256i bits = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    // The extended sign fills the upper byte; of it only the highest bit stays.
    const __m256i magnitude = _mm256_slli_epi16(_mm256_and_si256(bits, _mm256_set1_epi16(0x7f)), 7);
    const __m256i sign = _mm256_and_si256(bits, _mm256_set1_epi16(static_cast<short>(0x8000)));
    return _mm512_cvtph_ps(_mm256_or_si256(magnitude, sign));
  }
};

namespace int8 {
template <class Level>
struct ProductOf {
  using Sum = __m512;
  using Weight = __m512;
  static constexpr std::int64_t step = 1;

  static ADAPTIVE_INLINE Sum zero() { return _mm512_setzero_ps(); }
  static ADAPTIVE_INLINE Weight load(const std::uint8_t* from) { return Level::load(from); }
  template <int T>
  static ADAPTIVE_INLINE __m512 broadcast(const Tile& tile, std::int64_t column, int t) {
    return _mm512_set1_ps(tile.floats[column * T + t]);
  }
  static ADAPTIVE_INLINE Sum add(Sum sum, __m512 activation, Weight weight) {
    return _mm512_fmadd_ps(weight, activation, sum);
  }
  static ADAPTIVE_INLINE __m512 to_float(Sum sum, const std::int32_t*) { return sum; }
};

using Product = ProductOf<Int8>;
#include "kernels/quantized_matmul/cpu/tile_avx512.inl"
}  // namespace int8

namespace float8 {
using Product = int8::ProductOf<Float8>;
#include "kernels/quantized_matmul/cpu/tile_avx512.inl"
}  // namespace float8

template <int T, int R>
void multiply(const Operands& o, const Weights& w, const Tile& tile, Share share) {
  if (o.types == Types::fp8_w8a8)
    float8::multiply_blocks<T, R>(o, w, tile, share);
  else
    int8::multiply_blocks<T, R>(o, w, tile, share);
}

}  // namespace

void floats1_avx512(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply<1, 4>(o, w, tile, share);
}

void floats4_avx512(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply<4, 4>(o, w, tile, share);
}

void floats12_avx512(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply<12, 2>(o, w, tile, share);
}

}  // namespace adaptive::kernels::quantized_matmul
