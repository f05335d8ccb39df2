#include <immintrin.h>

#include <cstdint>

#include "kernels/common/static_for.hpp"
#include "kernels/quantized_matmul/cpu/kernels.hpp"

// Products of bytes by vpdpbusd, whose first operand is unsigned: activations are raised by 128, and 128
// times the sum of the weights is subtracted. Both are exact, modulo 2^32.
//
// Compiled with AVX-512 and VNNI: common/cpu/vector_avx512.inl says what this file must not do.

namespace adaptive::kernels::quantized_matmul {
namespace {

struct Product {
  using Sum = __m512i;
  using Weight = __m512i;
  static constexpr std::int64_t step = 4;

  static ADAPTIVE_INLINE Sum zero() { return _mm512_setzero_si512(); }
  static ADAPTIVE_INLINE Weight load(const std::uint8_t* from) { return _mm512_loadu_si512(from); }
  template <int T>
  static ADAPTIVE_INLINE __m512i broadcast(const Tile& tile, std::int64_t column, int t) {
    std::uint32_t four;
    __builtin_memcpy(&four, tile.integers + column * T + 4 * t, sizeof four);
    return _mm512_set1_epi32(static_cast<int>(four ^ 0x80808080u));
  }
  static ADAPTIVE_INLINE Sum add(Sum sum, __m512i activation, Weight weight) {
    return _mm512_dpbusd_epi32(sum, activation, weight);
  }
  static ADAPTIVE_INLINE __m512 to_float(Sum sum, const std::int32_t* sums) {
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(sum, _mm512_loadu_si512(sums)));
  }
};

#include "kernels/quantized_matmul/cpu/tile_avx512.inl"

}  // namespace

void integers1_vnni(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply_blocks<1, 4>(o, w, tile, share);
}

void integers4_vnni(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply_blocks<4, 4>(o, w, tile, share);
}

void integers8_vnni(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply_blocks<8, 2>(o, w, tile, share);
}

}  // namespace adaptive::kernels::quantized_matmul
