#include <immintrin.h>

#include <cstdint>

#include "kernels/common/static_for.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"

// Products of queries and keys by vdpbf16ps, which takes 32 numbers of two bytes as they are stored. Products
// of bfloat16 are exact, so scores are as accurate as with widened keys. Weights stay in float32: as bfloat16
// they would cost two digits of the result.
//
// Compiled with AVX-512 and BF16: common/cpu/vector_avx512.inl says what this file must not do.

namespace adaptive::kernels::ragged_paged_attention {
namespace {

#include "kernels/common/cpu/vector_avx512.inl"

#include "kernels/ragged_paged_attention/cpu/softmax.inl"

#include "kernels/ragged_paged_attention/cpu/sums_avx512.inl"

#include "kernels/ragged_paged_attention/cpu/rows.inl"

ADAPTIVE_INLINE __m512bh load_pairs(const std::uint16_t* from) {
  const __m512i bits = _mm512_loadu_si512(from);
  __m512bh pairs;
  __builtin_memcpy(&pairs, &bits, sizeof pairs);
  return pairs;
}

struct PairDots {
  template <int T, int C>
  static ADAPTIVE_INLINE void store(const Operands& o, const Item& item, const Scratch&, std::int64_t row,
                                    const std::uint16_t* keys, float* scores) {
    constexpr std::int64_t step = 32;
    const std::int64_t group = o.q_heads / o.kv_heads;
    const std::uint16_t* const q = static_cast<const std::uint16_t*>(o.q) +
                                   (item.first_token * o.q_heads + item.kv_head * group + row) * o.head_size;
    __m512 sum[T][C];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<C>([&]<int c>() ADAPTIVE_INLINE_LAMBDA { sum[t][c] = Vector::zero(); });
    });
    for (std::int64_t i = 0; i < o.head_size; i += step) {
      __m512bh key[C];
      static_for<C>([&]<int c>() ADAPTIVE_INLINE_LAMBDA { key[c] = load_pairs(keys + c * o.head_size + i); });
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        const __m512bh query = load_pairs(q + t * o.head_size + i);
        static_for<C>([&]<int c>()
                          ADAPTIVE_INLINE_LAMBDA { sum[t][c] = _mm512_dpbf16_ps(sum[t][c], query, key[c]); });
      });
    }
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      if constexpr (C == 4)
        store_sums(sum[t][0], sum[t][1], sum[t][2], sum[t][3], scores + t * keys_max);
      else
        store_first_sum(sum[t][0], scores + t * keys_max);
    });
  }
};

}  // namespace

void rows4_avx512_bf16(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) noexcept {
  attend_token<BFloat16Loader, PairDots, 4>(o, item, s, keys);
}

}  // namespace adaptive::kernels::ragged_paged_attention
