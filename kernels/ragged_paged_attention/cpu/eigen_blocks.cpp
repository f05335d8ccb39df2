#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/common/cpu/eigen_multiply.hpp"
#include "kernels/common/float8.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"

// What a programmer would write with a library at hand: blocks of keys and values become float32, and blocks
// of scores are products of matrices.

namespace adaptive::kernels::ragged_paged_attention {
namespace {

struct Float8Values {
  std::array<float, 256> of;
  Float8Values() noexcept : of() {
    for (std::size_t byte = 0; byte < of.size(); ++byte)
      of[byte] = from_e4m3(static_cast<std::uint8_t>(byte));
  }
};

void widen(const void* cache, Type type, std::int64_t at, std::int64_t count, float scale, float* to) {
  static const Float8Values float8;
  if (type == Type::float32) {
    std::copy_n(static_cast<const float*>(cache) + at, count, to);
  } else if (type == Type::bfloat16) {
    const std::uint16_t* const from = static_cast<const std::uint16_t*>(cache) + at;
    for (std::int64_t i = 0; i < count; ++i) to[i] = from_bfloat16(from[i]);
  } else {
    const std::uint8_t* const from = static_cast<const std::uint8_t*>(cache) + at;
    for (std::int64_t i = 0; i < count; ++i) to[i] = float8.of[from[i]] * scale;
  }
}

// Weights of one row. Returns what its earlier results have to be multiplied by.
float to_row_weights(const Operands& o, float* products, std::int64_t count, std::int64_t first,
                     std::int64_t last, float& largest, float& sum) {
  const float before = largest;
  for (std::int64_t i = first; i < last; ++i) {
    products[i] *= o.scale;
    if (o.soft_cap > 0) products[i] = o.soft_cap * std::tanh(products[i] / o.soft_cap);
    largest = std::max(largest, products[i]);
  }
  const float rescale = std::exp(before - largest);
  sum *= rescale;
  for (std::int64_t i = 0; i < count; ++i) {
    products[i] = i >= first && i < last ? std::exp(products[i] - largest) : 0;
    sum += products[i];
  }
  return rescale;
}

}  // namespace

void eigen_blocks(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) noexcept {
  static const EigenProducts multiply = eigen_products();
  static_assert(head_size_max <= eigen_depth_max && scores_max <= eigen_side_max);
  const std::int64_t group = o.q_heads / o.kv_heads;
  const std::int64_t rows = item.tokens * group;
  std::fill_n(s.largest, rows, lowest_score);
  std::fill_n(s.sum, rows, 0.0F);
  std::fill_n(s.out, rows * o.head_size, 0.0F);
  for (std::int64_t begin = item.begin; begin < item.end;) {
    const std::int64_t end = std::min(item.end, (begin / keys + 1) * keys);
    const std::int64_t count = end - begin;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t position = begin + i;
      const std::int64_t page = o.page_table[item.sequence * o.pages_per_sequence + position / o.page_size];
      const std::int64_t at =
          ((page * o.kv_heads + item.kv_head) * o.page_size + position % o.page_size) * o.head_size;
      widen(o.key_cache, o.type, at, o.head_size, o.k_scale, s.keys + i * o.head_size);
      widen(o.value_cache, o.type, at, o.head_size, o.v_scale, s.values + i * o.head_size);
    }
    for (std::int64_t row = 0; row < rows; row += scores_max) {
      const std::int64_t here = std::min(scores_max, rows - row);
      multiply.transposed(s.q + row * o.head_size, o.head_size, s.keys, o.head_size, s.scores, keys_max, here,
                          o.head_size, count, false);
      for (std::int64_t r = 0; r < here; ++r) {
        const std::int64_t position = item.position + (row + r) / group;
        const std::int64_t first = std::clamp<std::int64_t>(position - o.window + 1 - begin, 0, count);
        const std::int64_t last = std::clamp<std::int64_t>(position + 1 - begin, first, count);
        const float rescale = to_row_weights(o, s.scores + r * keys_max, count, first, last,
                                             s.largest[row + r], s.sum[row + r]);
        float* const out = s.out + (row + r) * o.head_size;
        for (std::int64_t i = 0; i < o.head_size; ++i) out[i] *= rescale;
      }
      for (std::int64_t column = 0; column < o.head_size; column += eigen_side_max)
        multiply.plain(s.scores, keys_max, s.values + column, o.head_size, s.out + row * o.head_size + column,
                       o.head_size, here, count, std::min(eigen_side_max, o.head_size - column), true);
    }
    begin = end;
  }
}

}  // namespace adaptive::kernels::ragged_paged_attention
