// Products with packed weights, for any instruction set. Included inside an anonymous namespace after
// common/cpu/vector_*.inl and common/cpu/panel_multiply.inl.
//
// Lanes are columns and the activation is the broadcast operand, so that there are no horizontal sums. The
// most important parameter is T: a large tile reads the weights fewer times, but wastes work on groups of
// fewer rows.

/// Multiplies all row tiles of one group with a panel of weights in blocks [depth][16], `block_stride`
/// elements apart. A tile's slice of x stays in the first-level cache for the whole panel.
template <int T, int R, class Weight>
void multiply_tiles(const Operands& operands, const Scratch& scratch, std::int64_t group, const Weight* w,
                    std::int64_t block_stride, std::int64_t first_column, std::int64_t last_column,
                    std::int64_t first_depth, std::int64_t depth) {
  constexpr std::int64_t strip = R * Vector::lanes;
  static_assert(strip % block_columns == 0);
  const Group& rows = operands.groups[group];
  for (std::int64_t row = 0; row < rows.rows; row += T) {
    const float* x = scratch.x_tiles + (scratch.tile_rows[group] + row) * operands.k_stride + first_depth * T;
    const std::int64_t tokens = rows.rows - row < T ? rows.rows - row : T;
    float* y = operands.y + (rows.first_row + row) * operands.n;
    for (std::int64_t column = first_column; column < last_column; column += strip) {
      const std::int64_t columns = last_column - column < strip ? last_column - column : strip;
      // The last strip of a share may have fewer blocks; only the existing ones are read.
      const Weight* block = w + (column - first_column) / block_columns * block_stride;
      if (columns > strip - block_columns)
        multiply_panel<T, R>(block, block_stride, x, depth, y + column, operands.n, tokens, columns,
                             first_depth != 0);
      else
        for (std::int64_t c = 0; c < columns; c += block_columns)
          multiply_panel<T, block_columns / Vector::lanes>(
              block + c / block_columns * block_stride, block_stride, x, depth, y + column + c, operands.n,
              tokens, columns - c < block_columns ? columns - c : block_columns, first_depth != 0);
    }
  }
}

template <int T, int R, class Weight>
void multiply_packed(const Operands& operands, const Scratch& scratch, Share share) {
  const auto* packed = static_cast<const Weight*>(scratch.packed);
  const std::int64_t blocks = (operands.n + block_columns - 1) / block_columns;
  const std::int64_t block_stride = operands.k_stride * block_columns;
  constexpr std::int64_t panel_blocks = panel_columns / block_columns;
  for (std::int64_t group = share.group_begin; group < share.group_end; ++group) {
    const Weight* w = packed + operands.groups[group].expert * blocks * block_stride;
    for (std::int64_t block = share.block_begin; block < share.block_end; block += panel_blocks) {
      const std::int64_t end =
          block + panel_blocks < share.block_end ? block + panel_blocks : share.block_end;
      const std::int64_t last_column = end * block_columns < operands.n ? end * block_columns : operands.n;
      for (std::int64_t k = 0; k < operands.k_stride; k += panel_depth) {
        const std::int64_t depth = operands.k_stride - k < panel_depth ? operands.k_stride - k : panel_depth;
        multiply_tiles<T, R>(operands, scratch, group, w + block * block_stride + k * block_columns,
                             block_stride, block * block_columns, last_column, k, depth);
      }
    }
  }
}

template <int T, int R>
void multiply_packed(const Operands& operands, const Scratch& scratch, Share share) {
  if (operands.type == Type::float32)
    multiply_packed<T, R, float>(operands, scratch, share);
  else
    multiply_packed<T, R, std::uint16_t>(operands, scratch, share);
}
