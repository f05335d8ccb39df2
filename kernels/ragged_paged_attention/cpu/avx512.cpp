#include <immintrin.h>

#include <cstdint>

#include "kernels/common/static_for.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"

// Compiled with AVX-512: common/cpu/vector_avx512.inl says what this file must not do.

namespace adaptive::kernels::ragged_paged_attention {
namespace {

#include "kernels/common/cpu/vector_avx512.inl"

#include "kernels/common/cpu/transpose_avx512.inl"

#include "kernels/ragged_paged_attention/cpu/softmax.inl"

#include "kernels/ragged_paged_attention/cpu/sums_avx512.inl"

/// The bits of a float8 in the place of a float16's: 1/256 of its value, small numbers included.
struct Float8Loader {
  using Stored = std::uint8_t;
  static constexpr float factor = 256;
  static ADAPTIVE_INLINE __m512 load(const std::uint8_t* from) {
    const __m256i bits = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    // The extended sign fills the upper byte; of it only the highest bit stays.
    const __m256i magnitude = _mm256_slli_epi16(_mm256_and_si256(bits, _mm256_set1_epi16(0x7f)), 7);
    const __m256i sign = _mm256_and_si256(bits, _mm256_set1_epi16(static_cast<short>(0x8000)));
    return _mm512_cvtph_ps(_mm256_or_si256(magnitude, sign));
  }
};

#include "kernels/ragged_paged_attention/cpu/rows.inl"

template <class Loader>
ADAPTIVE_INLINE void transpose_keys(const typename Loader::Stored* from, std::int64_t stride,
                                    std::int64_t from_row, std::int64_t to_row, float* to) {
  __m512 v[16];
  static_for<16>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    v[i] = i >= from_row && i < to_row ? Loader::load(from + i * stride) : Vector::zero();
  });
  transpose(v);
  static_for<16>([&]<int i>() ADAPTIVE_INLINE_LAMBDA { Vector::store(to + i * 16, v[i]); });
}

#include "kernels/ragged_paged_attention/cpu/panel.inl"

#include "kernels/ragged_paged_attention/cpu/with_loader.inl"

}  // namespace

void rows4_avx512(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) noexcept {
  with_loader(o.type, [&]<class Loader>() { attend_token<Loader, FloatDots<Loader>, 4>(o, item, s, keys); });
}

void panel12_avx512(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) noexcept {
  with_loader(o.type, [&]<class Loader>() { attend_rows<Loader, 12, 4>(o, item, s, keys); });
}

}  // namespace adaptive::kernels::ragged_paged_attention
