#include <immintrin.h>

#include <cstdint>

#include "kernels/common/static_for.hpp"
#include "kernels/quantized_matmul/cpu/kernels.hpp"

// Products of bytes by vpmaddubsw, whose first operand is unsigned: |x| times w with the sign of x. Two such
// products fit 16 bits, since levels are from -127 to 127.
//
// Compiled with AVX2: common/cpu/vector_avx2.inl says what this file must not do.

namespace adaptive::kernels::quantized_matmul {
namespace {

template <int T>
void multiply_block(const Operands& o, const Weights& w, const Tile& tile, std::int64_t block,
                    std::int64_t padded) {
  const __m256i ones = _mm256_set1_epi16(1);
  const std::int64_t quads = o.segment_columns / 4;
  const std::uint8_t* levels = w.levels + block * o.k_stride * block_rows;
  const std::int8_t* x = tile.integers;
  __m256 total[T][2];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA { total[t][0] = total[t][1] = _mm256_setzero_ps(); });
  for (std::int64_t segment = 0; segment < o.segments; ++segment) {
    __m256i sum[T][2];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA { sum[t][0] = sum[t][1] = _mm256_setzero_si256(); });
    for (std::int64_t quad = 0; quad < quads; ++quad, levels += 64, x += 4 * T) {
      const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(levels));
      const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(levels + 32));
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        int four;
        __builtin_memcpy(&four, x + 4 * t, sizeof four);
        const __m256i activation = _mm256_set1_epi32(four);
        const __m256i magnitude = _mm256_abs_epi8(activation);
        const auto products = [&](__m256i level) ADAPTIVE_INLINE_LAMBDA {
          return _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, _mm256_sign_epi8(level, activation)),
                                   ones);
        };
        sum[t][0] = _mm256_add_epi32(sum[t][0], products(low));
        sum[t][1] = _mm256_add_epi32(sum[t][1], products(high));
      });
    }
    const float* scales = w.scales + segment * padded + block * block_rows;
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      const __m256 x_scale = _mm256_set1_ps(tile.scales[segment * T + t]);
      static_for<2>([&]<int h>() ADAPTIVE_INLINE_LAMBDA {
        const __m256 part = _mm256_mul_ps(_mm256_cvtepi32_ps(sum[t][h]), _mm256_loadu_ps(scales + 8 * h));
        total[t][h] = _mm256_fmadd_ps(part, x_scale, total[t][h]);
      });
    });
  }
  const std::int64_t row = block * block_rows;
  const std::int64_t rows = o.out_features - row < block_rows ? o.out_features - row : block_rows;
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    if (t >= tile.tokens) return;
    float line[block_rows];
    _mm256_storeu_ps(line, total[t][0]);
    _mm256_storeu_ps(line + 8, total[t][1]);
    float* y = o.y + (tile.first_token + t) * o.out_features + row;
    for (std::int64_t i = 0; i < rows; ++i) y[i] = line[i];
  });
}

template <int T>
void multiply_blocks(const Operands& o, const Weights& w, const Tile& tile, Share share) {
  const std::int64_t padded = (o.out_features + block_rows - 1) / block_rows * block_rows;
  for (std::int64_t block = share.begin; block < share.end; ++block)
    multiply_block<T>(o, w, tile, block, padded);
}

}  // namespace

void integers1_avx2(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply_blocks<1>(o, w, tile, share);
}

void integers4_avx2(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  multiply_blocks<4>(o, w, tile, share);
}

}  // namespace adaptive::kernels::quantized_matmul
