#include <immintrin.h>

#include "kernels/common/static_for.hpp"
#include "kernels/mixed_bit_matmul/cpu/kernels.hpp"

// Table look-up instead of multiplication, after T-MAC. Four bits of a low word hold the levels of two
// columns of width 2; four bits of a plane of width 3 hold one bit of four columns. The 16 sums of
// activations that these bits can select are tabulated once per launch and fit one register. A shift, a
// permutation and an addition then do the work of two (four) levels, and the tables need not be rounded to
// integers as in T-MAC. With width 4, four bits hold only a single level, so widths 4 and 8 use the
// register-dequantise kernel of the same launch.
//
// Compiled with AVX-512: common/cpu/vector_avx512.inl says what this file must not do.

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

constexpr std::int64_t pairs = group_size / 2;
constexpr std::int64_t quads = group_size / 4;

/// Adds 16 rows of each of B blocks; every loaded table serves all of them.
template <int Bits, int B>
void sum_blocks(const Operands& operands, const std::int64_t* blocks, const float* pair_tables,
                const float* quad_tables, const float* sums, float* y) {
  __m512 total[B];
  static_for<B>([&]<int b>() ADAPTIVE_INLINE_LAMBDA { total[b] = _mm512_setzero_ps(); });
  for (std::int64_t group = 0; group < operands.groups; ++group) {
    __m512 part[B];
    static_for<B>([&]<int b>() ADAPTIVE_INLINE_LAMBDA { part[b] = _mm512_setzero_ps(); });
    const auto add_plane = [&](std::int64_t first_word, int word_count,
                               const float* tables) ADAPTIVE_INLINE_LAMBDA {
      for (int word = 0; word < word_count; ++word) {
        __m512i words[B];
        static_for<B>([&]<int b>() ADAPTIVE_INLINE_LAMBDA {
          words[b] = _mm512_loadu_si512(operands.words[blocks[b]] +
                                        (group * 2 * Bits + first_word + word) * block_rows);
        });
        static_for<8>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
          const __m512 table = _mm512_loadu_ps(tables + (word * 8 + i) * 16);
          static_for<B>([&]<int b>() ADAPTIVE_INLINE_LAMBDA {
            part[b] = _mm512_add_ps(part[b], _mm512_permutexvar_ps(words[b], table));
            if constexpr (i < 7) words[b] = _mm512_srli_epi32(words[b], 4);
          });
        });
      }
    };
    add_plane(0, 4, pair_tables + group * pairs * 16);
    if constexpr (Bits == 3) add_plane(4, 2, quad_tables + group * quads * 16);
    static_for<B>([&]<int b>() ADAPTIVE_INLINE_LAMBDA {
      const float* scales = operands.scales + (blocks[b] * operands.groups + group) * 2 * block_rows;
      total[b] = _mm512_fmadd_ps(_mm512_loadu_ps(scales), part[b], total[b]);
      total[b] = _mm512_fmadd_ps(_mm512_loadu_ps(scales + block_rows), _mm512_set1_ps(sums[group]), total[b]);
    });
  }
  static_for<B>([&]<int b>() ADAPTIVE_INLINE_LAMBDA {
    const std::int64_t row = blocks[b] * block_rows;
    const std::int64_t exist = operands.out_features - row;
    const unsigned mask = exist >= block_rows ? 0xffffu : (1u << exist) - 1;
    _mm512_mask_storeu_ps(y + row, static_cast<__mmask16>(mask), total[b]);
  });
}

template <int Bits>
void sum_list(const Operands& operands, const Scratch& scratch, const WidthList& list, Share share) {
  const std::int64_t end = list.count * (share.index + 1) / share.count;
  for (std::int64_t token = 0; token < operands.tokens; ++token) {
    const float* pair_tables = scratch.pair_tables + token * operands.groups * pairs * 16;
    const float* quad_tables = nullptr;
    if constexpr (Bits == 3) quad_tables = scratch.quad_tables + token * operands.groups * quads * 16;
    const float* sums = scratch.x_sums + token * operands.groups;
    float* y = operands.y + token * operands.out_features;
    std::int64_t i = list.count * share.index / share.count;
    for (; i + 4 <= end; i += 4)
      sum_blocks<Bits, 4>(operands, list.blocks + i, pair_tables, quad_tables, sums, y);
    for (; i < end; ++i) sum_blocks<Bits, 1>(operands, list.blocks + i, pair_tables, quad_tables, sums, y);
  }
}

}  // namespace

void make_tables_avx512(const Operands& operands, float* pair_tables, float* quad_tables) noexcept {
  const __m512 low = _mm512_setr_ps(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
  const __m512 high = _mm512_setr_ps(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const bool need_pairs = pair_tables != nullptr;
  const bool need_quads = quad_tables != nullptr;
  const std::int64_t columns = operands.tokens * operands.groups * group_size;
  for (std::int64_t column = 0; column < columns; column += 4) {
    const __m512 x0 = _mm512_set1_ps(operands.x[column]);
    const __m512 x1 = _mm512_set1_ps(operands.x[column + 1]);
    const __m512 x2 = _mm512_set1_ps(operands.x[column + 2]);
    const __m512 x3 = _mm512_set1_ps(operands.x[column + 3]);
    if (need_pairs) {
      float* table = pair_tables + column / 2 * 16;
      _mm512_storeu_ps(table, _mm512_fmadd_ps(high, x1, _mm512_mul_ps(low, x0)));
      _mm512_storeu_ps(table + 16, _mm512_fmadd_ps(high, x3, _mm512_mul_ps(low, x2)));
    }
    if (need_quads) {
      __m512 sum = _mm512_maskz_mov_ps(0xaaaa, x0);
      sum = _mm512_mask_add_ps(sum, 0xcccc, sum, x1);
      sum = _mm512_mask_add_ps(sum, 0xf0f0, sum, x2);
      sum = _mm512_mask_add_ps(sum, 0xff00, sum, x3);
      _mm512_storeu_ps(quad_tables + column / 4 * 16, _mm512_mul_ps(sum, _mm512_set1_ps(4)));
    }
  }
}

void tables_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  Operands rest = operands;
  rest.list_count = 0;
  for (int l = 0; l < operands.list_count; ++l) {
    const WidthList& list = operands.lists[l];
    if (list.bits == 2)
      sum_list<2>(operands, scratch, list, share);
    else if (list.bits == 3)
      sum_list<3>(operands, scratch, list, share);
    else
      rest.lists[rest.list_count++] = list;
  }
  if (rest.list_count != 0) tile1_avx512(rest, scratch, share);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
