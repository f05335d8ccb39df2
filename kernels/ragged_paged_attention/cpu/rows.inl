// Attention of single tokens, for any instruction set: lanes along the head, T heads of a group at once.
// Included inside an anonymous namespace after softmax.inl and after
//   - void store_sums(Float a, Float b, Float c, Float d, float* to): the sums of the lanes of four vectors;
//   - void store_first_sum(Float a, float* to): of one, in the same order.
//
// `Loader` widens the elements of the cache, and `Dots` has the products of T queries by four keys or by one.

struct Float32Loader {
  using Stored = float;
  static constexpr float factor = 1;  ///< what a loaded value has to be multiplied by
  static ADAPTIVE_INLINE Vector::Float load(const float* from) { return Vector::load(from); }
};

struct BFloat16Loader {
  using Stored = std::uint16_t;
  static constexpr float factor = 1;
  static ADAPTIVE_INLINE Vector::Float load(const std::uint16_t* from) { return Vector::load(from); }
};

/// Products of T rows of q by C keys that follow each other in the cache; C is 4 or 1.
template <class Loader>
struct FloatDots {
  template <int T, int C>
  static ADAPTIVE_INLINE void store(const Operands& o, const Item&, const Scratch& s, std::int64_t row,
                                    const typename Loader::Stored* keys, float* scores) {
    Vector::Float sum[T][C];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<C>([&]<int c>() ADAPTIVE_INLINE_LAMBDA { sum[t][c] = Vector::zero(); });
    });
    const float* const q = s.q + row * o.head_size;
    for (std::int64_t i = 0; i < o.head_size; i += Vector::lanes) {
      Vector::Float key[C];
      static_for<C>([&]<int c>()
                        ADAPTIVE_INLINE_LAMBDA { key[c] = Loader::load(keys + c * o.head_size + i); });
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        const Vector::Float query = Vector::load(q + t * o.head_size + i);
        static_for<C>([&]<int c>() ADAPTIVE_INLINE_LAMBDA {
          sum[t][c] = Vector::multiply_add(query, key[c], sum[t][c]);
        });
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

/// Adds the values of `count` positions that follow each other in the cache, R vectors of each.
template <class Loader, int T, int R>
ADAPTIVE_INLINE void add_values(const Operands& o, const float* weights,
                                const typename Loader::Stored* values, std::int64_t count, float* out) {
  for (std::int64_t column = 0; column < o.head_size; column += R * Vector::lanes) {
    Vector::Float sum[T][R];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        sum[t][r] = Vector::load(out + t * o.head_size + column + r * Vector::lanes);
      });
    });
    for (std::int64_t j = 0; j < count; ++j) {
      Vector::Float value[R];
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        value[r] = Loader::load(values + j * o.head_size + column + r * Vector::lanes);
      });
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        const Vector::Float weight = Vector::broadcast(weights + t * keys_max + j);
        static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
          sum[t][r] = Vector::multiply_add(weight, value[r], sum[t][r]);
        });
      });
    }
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        Vector::store(out + t * o.head_size + column + r * Vector::lanes, sum[t][r]);
      });
    });
  }
}

/// T rows and the positions [begin, end), which are within one block of keys.
template <class Loader, class Dots, int T>
void attend_block(const Operands& o, const Item& item, const Scratch& s, std::int64_t row, std::int64_t begin,
                  std::int64_t end) {
  const auto* const keys = static_cast<const typename Loader::Stored*>(o.key_cache);
  const auto* const values = static_cast<const typename Loader::Stored*>(o.value_cache);
  for (std::int64_t position = begin; position < end;) {
    const std::int64_t stop = least(end, (position / o.page_size + 1) * o.page_size);
    const auto* key = keys + place_of(o, item, position);
    float* scores = s.scores + position - begin;
    for (; position + 4 <= stop; position += 4, key += 4 * o.head_size, scores += 4)
      Dots::template store<T, 4>(o, item, s, row, key, scores);
    for (; position < stop; ++position, key += o.head_size, ++scores)
      Dots::template store<T, 1>(o, item, s, row, key, scores);
  }
  const Scoring scoring = {o.scale * o.k_scale * Loader::factor, o.soft_cap};
  const std::int64_t count = (end - begin + Vector::lanes - 1) / Vector::lanes * Vector::lanes;
  for (int t = 0; t < T; ++t) {
    const float rescale = to_weights(s.scores + t * keys_max, count, 0, end - begin, scoring,
                                     s.largest[row + t], s.sum[row + t]);
    if (rescale != 1) multiply_row(s.out + (row + t) * o.head_size, o.head_size, rescale);
  }
  // One row has few accumulators; more vectors at once hide the latency of the additions.
  constexpr int vectors = T == 1 && Vector::lanes < 16 ? 8 : 4;
  for (std::int64_t position = begin; position < end;) {
    const std::int64_t stop = least(end, (position / o.page_size + 1) * o.page_size);
    const float* const weights = s.scores + position - begin;
    const auto* const value = values + place_of(o, item, position);
    float* const out = s.out + row * o.head_size;
    if (T == 1 && Vector::lanes == 16 && o.head_size % 128 == 0)
      add_values<Loader, T, T == 1 ? 8 : 4>(o, weights, value, stop - position, out);
    else
      add_values<Loader, T, vectors>(o, weights, value, stop - position, out);
    position = stop;
  }
}

template <class Loader, class Dots, int T>
void attend_token(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) {
  const std::int64_t group = o.q_heads / o.kv_heads;
  begin_rows(o, s, group);
  for (std::int64_t begin = item.begin; begin < item.end;) {
    const std::int64_t end = least(item.end, (begin / keys + 1) * keys);
    std::int64_t row = 0;
    for (; row + T <= group; row += T) attend_block<Loader, Dots, T>(o, item, s, row, begin, end);
    if constexpr (T > 2)
      for (; row + 2 <= group; row += 2) attend_block<Loader, Dots, 2>(o, item, s, row, begin, end);
    for (; row < group; ++row) attend_block<Loader, Dots, 1>(o, item, s, row, begin, end);
    begin = end;
  }
  const float factor = o.v_scale * Loader::factor;
  if (factor != 1)
    for (std::int64_t row = 0; row < group; ++row)
      multiply_row(s.out + row * o.head_size, o.head_size, factor);
}
