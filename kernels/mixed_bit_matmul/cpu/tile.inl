// The register-dequantise kernel, for any instruction set. Included by one file per instruction set inside an
// anonymous namespace, after common/cpu/vector_*.inl and a struct `Levels`:
//   - level<bits>(Int low, Int high): the lowest field of each lane as Float (width 3: with bit 2 of `high`);
//   - next<bits>(Int& low, Int& high): moves the next field to this place;
//   - high_bits(Int words, int word): the plane of high bits that level<3> needs with low word `word`.
//
// A tile has T tokens by R vectors of rows. Each level is unpacked once and used T times, so the most
// important parameter is T: a large T amortises the unpacking, but wastes work if `tokens` is not a multiple
// of it. Lanes are rows and the activation is the broadcast operand, so that there are no horizontal sums.

template <int Bits>
inline constexpr int levels_per_word = Bits == 3 ? 16 : 32 / Bits;

constexpr int prefetch_lines = 8;

/// The addresses of R row vectors of one width.
template <int R>
struct Rows {
  const std::uint32_t* words[R];
  const float* scales[R];
  std::int64_t first[R];  ///< its first row of y
};

template <int T, int R, int Bits>
ADAPTIVE_INLINE void accumulate_group(const Rows<R>& rows, std::int64_t group, const float* x,
                                      typename Vector::Float (&part)[T][R]) {
  constexpr int levels = levels_per_word<Bits>;
  constexpr int words = static_cast<int>(group_size) / levels;
  for (int word = 0; word < words; ++word) {
    typename Vector::Int low[R], high[R];
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      const std::uint32_t* base = rows.words[r] + group * 2 * Bits * block_rows;
      low[r] = high[r] = Vector::load(base + word * block_rows);
      // With a single token, memory is the bottleneck, and the hardware's prefetcher stops at every page.
      if constexpr (T == 1 && r % (block_rows / Vector::lanes) == 0)
        __builtin_prefetch(base + (word + prefetch_lines) * block_rows);
      if constexpr (Bits == 3)
        high[r] = Levels::high_bits(Vector::load(base + (4 + word / 2) * block_rows), word);
    });
    ADAPTIVE_ROLLED
    for (int first = 0; first < levels; first += 4) {
      static_for<4>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
        typename Vector::Float level[R];
        static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
          level[r] = Levels::template level<Bits>(low[r], high[r]);
          Levels::template next<Bits>(low[r], high[r]);
        });
        static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
          const auto activation = Vector::broadcast(x + (word * levels + first + i) * T + t);
          static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
            part[t][r] = Vector::multiply_add(level[r], activation, part[t][r]);
          });
        });
      });
    }
  }
}

/// Computes y for T tokens by R vectors. Stores only `tokens` <= T tokens and only rows that exist.
template <int T, int R, int Bits>
void compute_tile(const Operands& operands, const Rows<R>& rows, const float* x, const float* sums, float* y,
                  std::int64_t tokens) {
  typename Vector::Float total[T][R];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA { total[t][r] = Vector::zero(); });
  });
  for (std::int64_t group = 0; group < operands.groups; ++group) {
    typename Vector::Float part[T][R];
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA { part[t][r] = Vector::zero(); });
    });
    accumulate_group<T, R, Bits>(rows, group, x + group * group_size * T, part);
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      const auto scale = Vector::load(rows.scales[r] + group * 2 * block_rows);
      const auto offset = Vector::load(rows.scales[r] + group * 2 * block_rows + block_rows);
      static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
        total[t][r] = Vector::multiply_add(scale, part[t][r], total[t][r]);
        total[t][r] = Vector::multiply_add(offset, Vector::broadcast(sums + group * T + t), total[t][r]);
      });
    });
  }
  // Rows are in ascending order, so if those of the last vector exist, all do.
  if (tokens == T && rows.first[R - 1] + Vector::lanes <= operands.out_features) {
    static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
      static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
        Vector::store(y + t * operands.out_features + rows.first[r], total[t][r]);
      });
    });
    return;
  }
  float edge[T][R][Vector::lanes];
  static_for<T>([&]<int t>() ADAPTIVE_INLINE_LAMBDA {
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA { Vector::store(edge[t][r], total[t][r]); });
  });
  for (std::int64_t t = 0; t < tokens; ++t)
    for (int r = 0; r < R; ++r)
      for (std::int64_t i = 0; i < Vector::lanes && rows.first[r] + i < operands.out_features; ++i)
        y[t * operands.out_features + rows.first[r] + i] = edge[t][r][i];
}

/// Computes one token tile, R / (vectors per block) blocks at a time and the remaining blocks one at a time.
template <int T, int R, int Bits>
void compute_blocks(const Operands& operands, const WidthList& list, std::int64_t begin, std::int64_t end,
                    const float* x, const float* sums, float* y, std::int64_t tokens) {
  constexpr int per_block = static_cast<int>(block_rows) / Vector::lanes;
  constexpr int blocks = R / per_block;
  static_assert(blocks * per_block == R);
  std::int64_t i = begin;
  for (; i + blocks <= end; i += blocks) {
    Rows<R> rows;
    static_for<R>([&]<int r>() ADAPTIVE_INLINE_LAMBDA {
      const std::int64_t block = list.blocks[i + r / per_block];
      constexpr int lane = r % per_block * Vector::lanes;
      rows.words[r] = operands.words[block] + lane;
      rows.scales[r] = operands.scales + block * operands.groups * 2 * block_rows + lane;
      rows.first[r] = block * block_rows + lane;
    });
    compute_tile<T, R, Bits>(operands, rows, x, sums, y, tokens);
  }
  if constexpr (blocks > 1) {
    if (i < end) compute_blocks<T, per_block, Bits>(operands, list, i, end, x, sums, y, tokens);
  }
}

/// The outer loop is over tokens and the inner loop over rows: the activations of a tile stay in the
/// second-level cache while the weights, which take few bytes each, are streamed.
template <int T, int R>
void compute_share(const Operands& operands, const Scratch& scratch, Share share) {
  const std::int64_t columns = operands.groups * group_size;
  for (std::int64_t token = 0; token < operands.tokens; token += T) {
    const float* x = scratch.x_tiles + token * columns;
    const float* sums = scratch.x_sums + token * operands.groups;
    float* y = operands.y + token * operands.out_features;
    const std::int64_t tokens = operands.tokens - token < T ? operands.tokens - token : T;
    for (int l = 0; l < operands.list_count; ++l) {
      const WidthList& list = operands.lists[l];
      const std::int64_t begin = list.count * share.index / share.count;
      const std::int64_t end = list.count * (share.index + 1) / share.count;
      switch (list.bits) {
        case 2:
          compute_blocks<T, R, 2>(operands, list, begin, end, x, sums, y, tokens);
          break;
        case 3:
          compute_blocks<T, R, 3>(operands, list, begin, end, x, sums, y, tokens);
          break;
        case 4:
          compute_blocks<T, R, 4>(operands, list, begin, end, x, sums, y, tokens);
          break;
        default:
          compute_blocks<T, R, 8>(operands, list, begin, end, x, sums, y, tokens);
          break;
      }
    }
  }
}
