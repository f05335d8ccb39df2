// Gate and up with their activation, for any instruction set. Included inside an anonymous namespace after
// elementwise.inl.
//
// A tile has T rows by V vectors of gate and the same V of up, so that the activation finds both sums in
// registers and nothing but h is stored. The weights of a strip stay in the second-level cache for all tiles
// of an expert. Sums run over the whole depth in order, so the bits are those of grouped_gemm's packed
// kernels.

template <int T, int V, class Weight>
void multiply_pair(const Pairs& pairs, const Weight* gate, const Weight* up, const float* x, float* h) {
  constexpr int per_block = static_cast<int>(block_columns) / Vector::lanes;
  Vector::Float gates[T][V], ups[T][V];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<V>([&]<int v>() ADAPTIVE_INLINE_LAMBDA { gates[t][v] = ups[t][v] = Vector::zero(); });
  });
  const std::int64_t block_stride = pairs.k_stride * block_columns;
  for (std::int64_t k = 0; k < pairs.k_stride; ++k) {
    Vector::Float gate_weight[V], up_weight[V];
    static_for<V>([&]<int v>() ADAPTIVE_INLINE_LAMBDA {
      const std::int64_t at =
          v / per_block * block_stride + k * block_columns + v % per_block * Vector::lanes;
      gate_weight[v] = Vector::load(gate + at);
      up_weight[v] = Vector::load(up + at);
    });
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      const auto activation = Vector::broadcast(x + k * T + t);
      static_for<V>([&]<int v>() ADAPTIVE_INLINE_LAMBDA {
        gates[t][v] = Vector::multiply_add(gate_weight[v], activation, gates[t][v]);
        ups[t][v] = Vector::multiply_add(up_weight[v], activation, ups[t][v]);
      });
    });
  }
  // In memory, because a loop that is not unrolled takes the vectors from there.
  float rows[T][V * Vector::lanes], up_rows[T][V * Vector::lanes];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<V>([&]<int v>() ADAPTIVE_INLINE_LAMBDA {
      Vector::store(rows[t] + v * Vector::lanes, gates[t][v]);
      Vector::store(up_rows[t] + v * Vector::lanes, ups[t][v]);
    });
  });
  for (int t = 0; t < T; ++t) activate(rows[t], up_rows[t], V * Vector::lanes, pairs.activation, rows[t]);
  for (int column = 0; column < V * Vector::lanes; ++column)
    for (int t = 0; t < T; ++t) h[column * T + t] = rows[t][column];
}

template <int T, int V, class Weight>
void multiply_strip(const Pairs& pairs, std::int64_t column) {
  const std::int64_t at = column / block_columns * pairs.k_stride * block_columns + column % block_columns;
  for (std::int64_t tile = 0; tile < pairs.tiles; ++tile)
    multiply_pair<T, V>(pairs, static_cast<const Weight*>(pairs.gate) + at,
                        static_cast<const Weight*>(pairs.up) + at, pairs.x + tile * pairs.k_stride * T,
                        pairs.h + (tile * pairs.h_stride + column) * T);
}

template <int T, int V, class Weight>
void multiply_pairs(const Pairs& pairs, std::int64_t begin, std::int64_t end) {
  std::int64_t column = begin * block_columns;
  const std::int64_t last = end * block_columns;
  for (; column + V * Vector::lanes <= last; column += V * Vector::lanes)
    multiply_strip<T, V, Weight>(pairs, column);
  if constexpr (V * Vector::lanes > static_cast<int>(block_columns))
    for (; column < last; column += block_columns)
      multiply_strip<T, static_cast<int>(block_columns) / Vector::lanes, Weight>(pairs, column);
}

template <int T, int V>
void multiply_pairs(const Pairs& pairs, std::int64_t begin, std::int64_t end) {
  if (pairs.is_bfloat16)
    multiply_pairs<T, V, std::uint16_t>(pairs, begin, end);
  else
    multiply_pairs<T, V, float>(pairs, begin, end);
}
