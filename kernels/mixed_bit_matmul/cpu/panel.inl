// Dequantises a panel of weights once and then multiplies all tokens with it. This is for prompts, where
// unpacking for each token tile would take most of the time. Included like tile.inl, after it and
// common/cpu/panel_multiply.inl.

/// Computes panel[column * stride + row] = scale * level + offset for one block and `groups` groups.
template <int Bits>
void dequantise_block(const Operands& operands, std::int64_t block, std::int64_t first_group,
                      std::int64_t groups, float* panel, std::int64_t stride) {
  constexpr int levels = levels_per_word<Bits>;
  constexpr int words = static_cast<int>(group_size) / levels;
  for (std::int64_t group = first_group; group < first_group + groups; ++group) {
    for (int lane = 0; lane < block_rows; lane += Vector::lanes) {
      const std::uint32_t* base = operands.words[block] + group * 2 * Bits * block_rows + lane;
      const float* scales = operands.scales + (block * operands.groups + group) * 2 * block_rows + lane;
      const auto scale = Vector::load(scales);
      const auto offset = Vector::load(scales + block_rows);
      float* out = panel + (group - first_group) * group_size * stride + lane;
      for (int word = 0; word < words; ++word) {
        auto low = Vector::load(base + word * block_rows);
        auto high = low;
        if constexpr (Bits == 3)
          high = Levels::high_bits(Vector::load(base + (4 + word / 2) * block_rows), word);
        for (int i = 0; i < levels; ++i, out += stride) {
          const auto level = Levels::template level<Bits>(low, high);
          Levels::template next<Bits>(low, high);
          Vector::store(out, Vector::multiply_add(scale, level, offset));
        }
      }
    }
  }
}

void dequantise(const Operands& operands, std::int64_t block, std::int64_t first_group, std::int64_t groups,
                float* panel, std::int64_t stride) noexcept {
  switch (operands.block_bits[block]) {
    case 2:
      dequantise_block<2>(operands, block, first_group, groups, panel, stride);
      break;
    case 3:
      dequantise_block<3>(operands, block, first_group, groups, panel, stride);
      break;
    case 4:
      dequantise_block<4>(operands, block, first_group, groups, panel, stride);
      break;
    default:
      dequantise_block<8>(operands, block, first_group, groups, panel, stride);
      break;
  }
}

/// Works in panels of panel_rows x panel_columns. A token tile's slice of x stays in the first-level cache
/// for the whole panel.
template <int T, int R>
void multiply_share(const Operands& operands, const Scratch& scratch, Share share) {
  constexpr std::int64_t strip = R * Vector::lanes;
  static_assert(panel_rows % strip == 0 && strip % block_rows == 0);
  const std::int64_t columns = operands.groups * group_size;
  const std::int64_t begin = operands.block_count * share.index / share.count * block_rows;
  const std::int64_t end_block = operands.block_count * (share.index + 1) / share.count;
  const std::int64_t end =
      end_block * block_rows < operands.out_features ? end_block * block_rows : operands.out_features;
  float* panel = scratch.panels + share.thread * panel_rows * panel_columns;
  for (std::int64_t first_row = begin; first_row < end; first_row += panel_rows) {
    const std::int64_t last_row = first_row + panel_rows < end ? first_row + panel_rows : end;
    for (std::int64_t group = 0; group < operands.groups; group += panel_groups) {
      const std::int64_t groups =
          operands.groups - group < panel_groups ? operands.groups - group : panel_groups;
      for (std::int64_t row = first_row; row < last_row; row += block_rows) {
        dequantise(operands, row / block_rows, group, groups, panel + (row - first_row) * panel_columns,
                   block_rows);
      }
      for (std::int64_t token = 0; token < operands.tokens; token += T) {
        const float* x = scratch.x_tiles + token * columns + group * group_size * T;
        const std::int64_t tokens = operands.tokens - token < T ? operands.tokens - token : T;
        for (std::int64_t row = first_row; row < last_row; row += strip)
          multiply_panel<T, R>(panel + (row - first_row) * panel_columns, block_rows * panel_columns, x,
                               groups * group_size, operands.y + token * operands.out_features + row,
                               operands.out_features, tokens, last_row - row < strip ? last_row - row : strip,
                               group != 0);
      }
    }
  }
}
