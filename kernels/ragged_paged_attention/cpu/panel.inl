// Attention of blocks of rows, for any instruction set: the keys and the values of a block become float32 in
// the order in which a product reads them, and tiles of T rows are multiplied by them. Included inside an
// anonymous namespace after rows.inl and after
//   - template <class Loader> void transpose_keys(const Loader::Stored* from, int64 stride, int64 from_row,
//     int64 to_row, float* to): rows [from_row, to_row) of 16 keys and 16 columns, transposed; others are 0.

constexpr std::int64_t panel_width = 16;

/// Vectors of a tile of T rows, so that the sums fit the registers: 32 with AVX-512, 16 otherwise.
template <int T>
constexpr int tile_vectors = T <= (Vector::lanes == 16 ? 4 : 2) ? 4 : 2;

/// y[T][R * lanes] = x[T][depth] * w. The blocks [depth][16] of w are `w_stride` elements apart. If `rescale`
/// is given, y is multiplied by it and added.
template <int T, int R>
ADAPTIVE_INLINE void multiply_tile(const float* x, std::int64_t x_stride, const float* w,
                                   std::int64_t w_stride, std::int64_t depth, float* y, std::int64_t y_stride,
                                   const float* rescale) {
  constexpr int per_block = static_cast<int>(panel_width) / Vector::lanes;
  Vector::Float sum[T][R];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      sum[t][r] = rescale == nullptr
                      ? Vector::zero()
                      : Vector::load(y + t * y_stride + r * Vector::lanes) * Vector::broadcast(rescale + t);
    });
  });
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector::Float weight[R];
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      weight[r] =
          Vector::load(w + r / per_block * w_stride + k * panel_width + r % per_block * Vector::lanes);
    });
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      const Vector::Float left = Vector::broadcast(x + t * x_stride + k);
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        sum[t][r] = Vector::multiply_add(left, weight[r], sum[t][r]);
      });
    });
  }
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      Vector::store(y + t * y_stride + r * Vector::lanes, sum[t][r]);
    });
  });
}

/// Fills the panels with the positions [begin, end) of the block that starts at `block`. `keys` becomes
/// [groups of 16 keys][head_size][16], `values` [head_size / 16][keys_max][16]. Groups of 16 keys that are
/// not complete are filled with zeros.
template <class Loader>
void fill_panels(const Operands& o, const Item& item, const Scratch& s, std::int64_t block,
                 std::int64_t begin, std::int64_t end) {
  const auto* const keys = static_cast<const typename Loader::Stored*>(o.key_cache);
  const auto* const values = static_cast<const typename Loader::Stored*>(o.value_cache);
  for (std::int64_t first = (begin - block) / panel_width * panel_width; block + first < end;
       first += panel_width) {
    // Pages consist of whole groups.
    const std::int64_t at = place_of(o, item, block + first);
    const std::int64_t from_row = most(begin - block - first, 0);
    const std::int64_t to_row = least(end - block - first, panel_width);
    for (std::int64_t column = 0; column < o.head_size; column += panel_width) {
      transpose_keys<Loader>(keys + at + column, o.head_size, from_row, to_row,
                             s.keys + (first * o.head_size + column * panel_width));
      float* const to = s.values + (column / panel_width * keys_max + first) * panel_width;
      for (std::int64_t row = 0; row < panel_width; ++row)
        for (std::int64_t i = 0; i < panel_width; i += Vector::lanes)
          Vector::store(to + row * panel_width + i,
                        row >= from_row && row < to_row
                            ? Loader::load(values + at + row * o.head_size + column + i)
                            : Vector::zero());
    }
  }
}

/// T rows of the item and the block's positions [begin, end).
template <int T>
void attend_tile(const Operands& o, const Item& item, const Scratch& s, std::int64_t row, std::int64_t rows,
                 std::int64_t block, std::int64_t begin, std::int64_t end, const Scoring& scoring) {
  constexpr int per_group = static_cast<int>(panel_width) / Vector::lanes;
  constexpr int vectors = tile_vectors<T>;
  constexpr std::int64_t step = vectors * Vector::lanes;
  const std::int64_t group = o.q_heads / o.kv_heads;
  const std::int64_t last_row = least(row + T, rows) - 1;
  // What the first and the last row see decides which groups of keys are multiplied.
  const std::int64_t see_begin = most(begin, item.position + row / group - o.window + 1);
  const std::int64_t see_end = least(end, item.position + last_row / group + 1);
  if (see_begin >= see_end) return;
  const std::int64_t first = (see_begin - block) / panel_width * panel_width;
  const std::int64_t count = (see_end - block - first + panel_width - 1) / panel_width * panel_width;
  const float* const q = s.q + row * o.head_size;
  const std::int64_t key_stride = o.head_size * panel_width;
  std::int64_t at = 0;
  for (; at + step <= count; at += step)
    multiply_tile<T, vectors>(q, o.head_size, s.keys + (first + at) * o.head_size, key_stride, o.head_size,
                              s.scores + at, keys_max, nullptr);
  for (; at < count; at += panel_width)
    multiply_tile<T, per_group>(q, o.head_size, s.keys + (first + at) * o.head_size, key_stride, o.head_size,
                                s.scores + at, keys_max, nullptr);
  float rescale[T];
  for (int t = 0; t < T; ++t) {
    // Rows past the last do the same as the last, on zeros.
    const std::int64_t position = item.position + least(row + t, last_row) / group;
    const std::int64_t from = most(see_begin, position - o.window + 1) - block - first;
    const std::int64_t to = least(see_end, position + 1) - block - first;
    rescale[t] = to_weights(s.scores + t * keys_max, count, least(most(from, 0), count), most(to, 0), scoring,
                            s.largest[row + t], s.sum[row + t]);
  }
  for (std::int64_t column = 0; column < o.head_size; column += step)
    multiply_tile<T, vectors>(
        s.scores, keys_max, s.values + (column / panel_width * keys_max + first) * panel_width,
        keys_max * panel_width, count, s.out + row * o.head_size + column, o.head_size, rescale);
}

/// Tiles of T rows, and of fewer at the end.
template <class Loader, int T, int Few>
void attend_rows(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) {
  const std::int64_t rows = item.tokens * (o.q_heads / o.kv_heads);
  const Scoring scoring = {o.scale * o.k_scale * Loader::factor, o.soft_cap};
  begin_rows(o, s, (rows + Few - 1) / Few * Few);
  for (std::int64_t begin = item.begin; begin < item.end;) {
    const std::int64_t block = begin / keys * keys;
    const std::int64_t end = least(item.end, block + keys);
    fill_panels<Loader>(o, item, s, block, begin, end);
    std::int64_t row = 0;
    for (; row + T <= rows; row += T) attend_tile<T>(o, item, s, row, rows, block, begin, end, scoring);
    for (; row < rows; row += Few) attend_tile<Few>(o, item, s, row, rows, block, begin, end, scoring);
    begin = end;
  }
  const float factor = o.v_scale * Loader::factor;
  if (factor != 1)
    for (std::int64_t row = 0; row < rows; ++row)
      multiply_row(s.out + row * o.head_size, o.head_size, factor);
}
