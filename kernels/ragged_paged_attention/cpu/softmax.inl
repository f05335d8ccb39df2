// Weights of a softmax, for any instruction set. Included inside an anonymous namespace after
// common/cpu/vector_*.inl. Uses the operators that GCC and Clang have on vector types.

typedef std::int32_t Ints __attribute__((vector_size(4 * Vector::lanes)));

ADAPTIVE_INLINE Vector::Float splat(float value) {
  return Vector::broadcast(&value);
}

ADAPTIVE_INLINE Vector::Float select(Ints mask, Vector::Float yes, Vector::Float no) {
  return reinterpret_cast<Vector::Float>((reinterpret_cast<Ints>(yes) & mask) |
                                         (reinterpret_cast<Ints>(no) & ~mask));
}

/// exp(x) for x <= 0, with an error of about one unit in the last place; exactly 1 at 0, and 0 below -87. The
/// polynomial is that of Cephes (expf).
ADAPTIVE_INLINE Vector::Float exp_of(Vector::Float x) {
  // The sum with 1.5 * 2^23 rounds to an integer, which is in the lowest bits.
  const Vector::Float magic = splat(0x1.8p23F);
  const Vector::Float shifted = Vector::multiply_add(x, splat(1.44269504F), magic);
  const Vector::Float n = shifted - magic;
  Vector::Float r = Vector::multiply_add(n, splat(-0.693359375F), x);
  r = Vector::multiply_add(n, splat(2.12194440e-4F), r);
  Vector::Float p = splat(1.9875691500e-4F);
  p = Vector::multiply_add(p, r, splat(1.3981999507e-3F));
  p = Vector::multiply_add(p, r, splat(8.3334519073e-3F));
  p = Vector::multiply_add(p, r, splat(4.1665795894e-2F));
  p = Vector::multiply_add(p, r, splat(1.6666665459e-1F));
  p = Vector::multiply_add(p, r, splat(5.0000001201e-1F));
  p = Vector::multiply_add(p, r * r, r) + splat(1);
  const Ints exponent = reinterpret_cast<Ints>(shifted) - reinterpret_cast<Ints>(magic) + 127;
  const Vector::Float value = p * reinterpret_cast<Vector::Float>(exponent << 23);
  // What is not a number stays that.
  const Ints is_zero = x <= splat(-87);
  return reinterpret_cast<Vector::Float>(reinterpret_cast<Ints>(value) & ~is_zero);
}

/// The polynomial is that of Cephes (tanhf).
ADAPTIVE_INLINE Vector::Float tanh_of(Vector::Float x) {
  const Ints sign = reinterpret_cast<Ints>(x) & INT32_MIN;
  const Vector::Float magnitude = reinterpret_cast<Vector::Float>(reinterpret_cast<Ints>(x) & INT32_MAX);
  const Vector::Float e = exp_of(magnitude * splat(-2));
  const Vector::Float large = (splat(1) - e) / (splat(1) + e);
  const Vector::Float z = x * x;
  Vector::Float p = splat(-5.70498872745e-3F);
  p = Vector::multiply_add(p, z, splat(2.06390887954e-2F));
  p = Vector::multiply_add(p, z, splat(-5.37397155531e-2F));
  p = Vector::multiply_add(p, z, splat(1.33314422036e-1F));
  p = Vector::multiply_add(p, z, splat(-3.33332819422e-1F));
  const Vector::Float small = Vector::multiply_add(p * z, magnitude, magnitude);
  const Ints is_small = magnitude < splat(0.625F);
  return reinterpret_cast<Vector::Float>(reinterpret_cast<Ints>(select(is_small, small, large)) | sign);
}

/// What becomes of the products of queries and keys.
struct Scoring {
  float factor;  ///< from a product to its score
  float soft_cap;
};

/// Turns `count` products, a multiple of the lanes, into weights. Those outside [first, last) become 0, and
/// are written even if they were not set. Returns what the row's earlier results have to be multiplied by,
/// since the largest score may have changed.
ADAPTIVE_INLINE float to_weights(float* products, std::int64_t count, std::int64_t first, std::int64_t last,
                                 const Scoring& scoring, float& largest, float& sum) {
  constexpr float nothing = -__builtin_inff();
  for (std::int64_t i = 0; i < first; ++i) products[i] = nothing;
  for (std::int64_t i = last; i < count; ++i) products[i] = nothing;
  Vector::Float top = splat(largest);
  for (std::int64_t i = 0; i < count; i += Vector::lanes) {
    Vector::Float score = Vector::load(products + i) * splat(scoring.factor);
    if (scoring.soft_cap > 0) {
      const Vector::Float capped = splat(scoring.soft_cap) * tanh_of(score / splat(scoring.soft_cap));
      score = select(score == splat(nothing), score, capped);
    }
    top = select(score > top, score, top);
    Vector::store(products + i, score);
  }
  float line[Vector::lanes];
  Vector::store(line, top);
  float now = line[0];
  for (int i = 1; i < Vector::lanes; ++i) now = line[i] > now ? line[i] : now;
  Vector::Float total = Vector::zero();
  for (std::int64_t i = 0; i < count; i += Vector::lanes) {
    const Vector::Float weight = exp_of(Vector::load(products + i) - splat(now));
    total = total + weight;
    Vector::store(products + i, weight);
  }
  Vector::store(line, exp_of(splat(largest - now)));
  const float rescale = line[0];
  Vector::store(line, total);
  float added = 0;
  for (int i = 0; i < Vector::lanes; ++i) added += line[i];
  sum = sum * rescale + added;
  largest = now;
  return rescale;
}

ADAPTIVE_INLINE void multiply_row(float* row, std::int64_t size, float factor) {
  for (std::int64_t i = 0; i < size; i += Vector::lanes)
    Vector::store(row + i, Vector::load(row + i) * splat(factor));
}

ADAPTIVE_INLINE std::int64_t least(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}

ADAPTIVE_INLINE std::int64_t most(std::int64_t a, std::int64_t b) {
  return a < b ? b : a;
}

/// The place in the cache of a position and a key/value head, in elements.
ADAPTIVE_INLINE std::int64_t place_of(const Operands& o, const Item& item, std::int64_t position) {
  const std::int64_t page = o.page_table[item.sequence * o.pages_per_sequence + position / o.page_size];
  return ((page * o.kv_heads + item.kv_head) * o.page_size + position % o.page_size) * o.head_size;
}

/// Sets the result of `rows` rows to that of no key.
ADAPTIVE_INLINE void begin_rows(const Operands& o, const Scratch& s, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r) {
    s.largest[r] = lowest_score;
    s.sum[r] = 0;
  }
  for (std::int64_t i = 0; i < rows * o.head_size; i += Vector::lanes)
    Vector::store(s.out + i, Vector::zero());
}
