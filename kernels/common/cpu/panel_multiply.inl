// The inner kernel of all products with dequantised or packed weights: T x R accumulators in registers, with
// the activations as broadcast operands. Included inside an anonymous namespace after vector_*.inl.

/// Computes y[T tokens, R * lanes features] (+)= x[depth][T] * w. The blocks [depth][16] of w are
/// `block_stride` elements apart. `tokens` x `features` of the tile exist in y; w and x can be read
/// completely. Sums run over depth in order, so all T, R and instruction sets with a fused multiply-add give
/// the same bits.
template <int T, int R, class Weight>
void multiply_panel(const Weight* w, std::int64_t block_stride, const float* x, std::int64_t depth, float* y,
                    std::int64_t y_stride, std::int64_t tokens, std::int64_t features, bool accumulate) {
  constexpr int per_block = 16 / Vector::lanes;
  typename Vector::Float sum[T][R];
  const bool whole = tokens == T && features == R * Vector::lanes;
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      sum[t][r] = accumulate && whole ? Vector::load(y + t * y_stride + r * Vector::lanes) : Vector::zero();
    });
  });
  if (accumulate && !whole) {
    float edge[T][R * Vector::lanes] = {};
    for (std::int64_t t = 0; t < tokens; ++t)
      for (std::int64_t r = 0; r < features; ++r) edge[t][r] = y[t * y_stride + r];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<R>([&]<int r>()
                        ADAPTIVE_INLINE_LAMBDA { sum[t][r] = Vector::load(&edge[t][r * Vector::lanes]); });
    });
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    typename Vector::Float weight[R];
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      weight[r] = Vector::load(w + r / per_block * block_stride + k * 16 + r % per_block * Vector::lanes);
    });
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      const auto activation = Vector::broadcast(x + k * T + t);
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        sum[t][r] = Vector::multiply_add(weight[r], activation, sum[t][r]);
      });
    });
  }
  if (whole) {
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        Vector::store(y + t * y_stride + r * Vector::lanes, sum[t][r]);
      });
    });
    return;
  }
  float edge[T][R * Vector::lanes];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<R>([&]<int r>()
                      ADAPTIVE_INLINE_LAMBDA { Vector::store(&edge[t][r * Vector::lanes], sum[t][r]); });
  });
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t r = 0; r < features; ++r) y[t * y_stride + r] = edge[t][r];
}
