// The loop over blocks of rows, for kernels of 16 lanes. Included inside an anonymous namespace after a struct
// `Product` with
//   - Sum: the type of a vector of sums, and zero();
//   - step: columns of one step, and Weight load(const std::uint8_t*): a vector of weights, 16 * step bytes;
//   - Activation broadcast<T>(const Tile&, column, t);
//   - Sum add(Sum, Activation, Weight);
//   - __m512 to_float(Sum, const std::int32_t* sums).
//
// Lanes are rows of W and the activation is the broadcast operand, so that there are no horizontal sums. A tile
// of T tokens by R blocks uses each loaded weight T times.

template <int T, int R>
ADAPTIVE_INLINE void multiply_tile(const Operands& o, const Weights& w, const Tile& tile, std::int64_t block,
                                   std::int64_t padded) {
  __m512 total[T][R];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA { total[t][r] = _mm512_setzero_ps(); });
  });
  for (std::int64_t segment = 0; segment < o.segments; ++segment) {
    typename Product::Sum sum[T][R];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA { sum[t][r] = Product::zero(); });
    });
    const std::int64_t begin = segment * o.segment_columns;
    for (std::int64_t k = begin; k < begin + o.segment_columns; k += Product::step) {
      typename Product::Weight weight[R];
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        weight[r] = Product::load(w.levels + ((block + r) * o.k_stride + k) * block_rows);
      });
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        const auto activation = Product::template broadcast<T>(tile, k, t);
        static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
          sum[t][r] = Product::add(sum[t][r], activation, weight[r]);
        });
      });
    }
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      const std::int64_t at = segment * padded + (block + r) * block_rows;
      const __m512 w_scale = _mm512_loadu_ps(w.scales + at);
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        const __m512 part = _mm512_mul_ps(Product::to_float(sum[t][r], w.sums + at), w_scale);
        total[t][r] = _mm512_fmadd_ps(part, _mm512_set1_ps(tile.scales[segment * T + t]), total[t][r]);
      });
    });
  }
  static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
    const std::int64_t row = (block + r) * block_rows;
    const std::int64_t exist = o.out_features - row;
    const auto mask = static_cast<__mmask16>(exist >= block_rows ? 0xffffu : (1u << exist) - 1);
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      if (t < tile.tokens)
        _mm512_mask_storeu_ps(o.y + (tile.first_token + t) * o.out_features + row, mask, total[t][r]);
    });
  });
}

template <int T, int R>
void multiply_blocks(const Operands& o, const Weights& w, const Tile& tile, Share share) {
  const std::int64_t padded = (o.out_features + block_rows - 1) / block_rows * block_rows;
  std::int64_t block = share.begin;
  for (; block + R <= share.end; block += R) multiply_tile<T, R>(o, w, tile, block, padded);
  for (; block < share.end; ++block) multiply_tile<T, 1>(o, w, tile, block, padded);
}
