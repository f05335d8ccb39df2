// Products with weights as they are stored, for any instruction set: T rows of x by C columns at once, with
// the lanes along k. Included inside an anonymous namespace after common/cpu/vector_*.inl.
//
// For groups of one or a few rows: each weight is read once, in order, and nothing is packed or copied.

/// Computes y[T][C] = x[T][k_stride] * w[C][k_stride]^T.
template <int T, int C, class Element>
ADAPTIVE_INLINE void multiply_rows(const Operands& operands, const Element* x, const Element* w, float* y) {
  typename Vector::Float sum[T][C];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<C>([&]<int c>() ADAPTIVE_INLINE_LAMBDA { sum[t][c] = Vector::zero(); });
  });
  const std::int64_t stride = operands.k_stride;
  for (std::int64_t k = 0; k < stride; k += Vector::lanes) {
    typename Vector::Float activation[T];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA { activation[t] = Vector::load(x + t * stride + k); });
    static_for<C>([&]<int c>() ADAPTIVE_INLINE_LAMBDA {
      const auto weight = Vector::load(w + c * stride + k);
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        sum[t][c] = Vector::multiply_add(activation[t], weight, sum[t][c]);
      });
    });
  }
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<C>([&]<int c>() ADAPTIVE_INLINE_LAMBDA { y[t * operands.n + c] = Vector::sum(sum[t][c]); });
  });
}

/// The outer loop is over columns and the inner loop over rows, so that C columns of weights stay in the
/// first-level cache for all rows of a group.
template <int T, int C, class Element>
void multiply_groups(const Operands& operands, Share share) {
  const auto* x = static_cast<const Element*>(operands.x);
  const std::int64_t last =
      share.block_end * block_columns < operands.n ? share.block_end * block_columns : operands.n;
  for (std::int64_t group = share.group_begin; group < share.group_end; ++group) {
    const Group& rows = operands.groups[group];
    const auto* w = static_cast<const Element*>(operands.w) + rows.expert * operands.n * operands.k_stride;
    const auto columns = [&]<int Columns>(std::int64_t column) {
      std::int64_t row = rows.first_row;
      const std::int64_t end = row + rows.rows;
      const Element* w_column = w + column * operands.k_stride;
      for (; row + T <= end; row += T)
        multiply_rows<T, Columns>(operands, x + row * operands.k_stride, w_column,
                                  operands.y + row * operands.n + column);
      for (; row < end; ++row)
        multiply_rows<1, Columns>(operands, x + row * operands.k_stride, w_column,
                                  operands.y + row * operands.n + column);
    };
    std::int64_t column = share.block_begin * block_columns;
    for (; column + C <= last; column += C) columns.template operator()<C>(column);
    for (; column < last; ++column) columns.template operator()<1>(column);
  }
}

template <int T, int C>
void multiply_groups(const Operands& operands, Share share) {
  if (operands.type == Type::float32)
    multiply_groups<T, C, float>(operands, share);
  else
    multiply_groups<T, C, std::uint16_t>(operands, share);
}
