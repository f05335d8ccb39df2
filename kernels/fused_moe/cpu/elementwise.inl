// The activations and the weighted sum. Included inside an anonymous namespace after common/cpu/vector_*.inl
// and a struct `Math` with subtract, multiply, divide, minimum, maximum and power (2^n, from the bits of a
// float whose last bits are n).
//
// Every multiplication whose result is added is written as a multiply_add, so that no compiler chooses where
// to round: AVX2 and AVX-512 give the same bits.

/// exp(t) for t in [-87, 87], to about one unit in the last place: 2^n times a polynomial in what is left.
ADAPTIVE_INLINE void split_exponential(Vector::Float t, Vector::Float& polynomial, Vector::Float& power) {
  static constexpr float log2_e = 1.44269504F, ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
  static constexpr float round = 12582912;  // 1.5 * 2^23: a sum with it has no bits for fractions
  static constexpr float terms[] = {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1, 1};
  static constexpr float first = 1.0F / 5040;
  static constexpr float minus_high = -ln2_high, minus_low = -ln2_low;
  const auto shifted = Vector::multiply_add(t, Vector::broadcast(&log2_e), Vector::broadcast(&round));
  const auto n = Math::subtract(shifted, Vector::broadcast(&round));
  auto rest = Vector::multiply_add(n, Vector::broadcast(&minus_high), t);
  rest = Vector::multiply_add(n, Vector::broadcast(&minus_low), rest);
  polynomial = Vector::broadcast(&first);
  static_for<7>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
    polynomial = Vector::multiply_add(polynomial, rest, Vector::broadcast(&terms[i]));
  });
  power = Math::power(shifted);
}

ADAPTIVE_INLINE Vector::Float gated(Vector::Float gate, Vector::Float up, Activation activation) {
  static constexpr float one = 1, minus_one = -1, limit = swiglu_limit, minus_limit = -swiglu_limit;
  static constexpr float minus_swiglu = -swiglu_slope, minus_gelu = -gelu_slope;
  static constexpr float minus_gelu_cubic = -gelu_slope * gelu_cubic;
  static constexpr float most = 87, least = -87;
  Vector::Float exponent;
  if (activation == Activation::silu) {
    exponent = Math::multiply(gate, Vector::broadcast(&minus_one));
  } else if (activation == Activation::gelu_tanh) {
    const auto square = Math::multiply(gate, gate);
    const auto factor =
        Vector::multiply_add(square, Vector::broadcast(&minus_gelu_cubic), Vector::broadcast(&minus_gelu));
    exponent = Math::multiply(gate, factor);
  } else {
    gate = Math::minimum(gate, Vector::broadcast(&limit));
    up = Math::maximum(Math::minimum(up, Vector::broadcast(&limit)), Vector::broadcast(&minus_limit));
    up = Math::subtract(up, Vector::broadcast(&minus_one));
    exponent = Math::multiply(gate, Vector::broadcast(&minus_swiglu));
  }
  exponent = Math::maximum(Math::minimum(exponent, Vector::broadcast(&most)), Vector::broadcast(&least));
  Vector::Float polynomial, power;
  split_exponential(exponent, polynomial, power);
  const auto sigmoid =
      Math::divide(Vector::broadcast(&one), Vector::multiply_add(polynomial, power, Vector::broadcast(&one)));
  return Math::multiply(Math::multiply(gate, sigmoid), up);
}

void activate(const float* gate, const float* up, std::int64_t columns, Activation activation, float* h) {
  std::int64_t column = 0;
  for (; column + Vector::lanes <= columns; column += Vector::lanes)
    Vector::store(h + column, gated(Vector::load(gate + column), Vector::load(up + column), activation));
  if (column == columns) return;
  float gates[Vector::lanes] = {}, ups[Vector::lanes] = {}, result[Vector::lanes];
  for (int i = 0; i < Vector::lanes && column + i < columns; ++i) {
    gates[i] = gate[column + i];
    ups[i] = up[column + i];
  }
  Vector::store(result, gated(Vector::load(gates), Vector::load(ups), activation));
  for (int i = 0; i < Vector::lanes && column + i < columns; ++i) h[column + i] = result[i];
}

void add_scaled(const float* z, float weight, std::int64_t columns, float* y) {
  const auto factor = Vector::broadcast(&weight);
  std::int64_t column = 0;
  for (; column + Vector::lanes <= columns; column += Vector::lanes)
    Vector::store(y + column,
                  Vector::multiply_add(Vector::load(z + column), factor, Vector::load(y + column)));
  if (column == columns) return;
  float terms[Vector::lanes] = {}, sums[Vector::lanes] = {};
  for (int i = 0; i < Vector::lanes && column + i < columns; ++i) {
    terms[i] = z[column + i];
    sums[i] = y[column + i];
  }
  Vector::store(sums, Vector::multiply_add(Vector::load(terms), factor, Vector::load(sums)));
  for (int i = 0; i < Vector::lanes && column + i < columns; ++i) y[column + i] = sums[i];
}
