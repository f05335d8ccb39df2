#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/common/float8.hpp"
#include "kernels/ragged_paged_attention/problem.hpp"

// The definition of the result from operands.hpp, with sums in double.

namespace adaptive::kernels::ragged_paged_attention {
namespace {

double element(const void* data, Type type, std::int64_t at) {
  switch (type) {
    case Type::float32:
      return static_cast<double>(static_cast<const float*>(data)[at]);
    case Type::bfloat16:
      return static_cast<double>(from_bfloat16(static_cast<const std::uint16_t*>(data)[at]));
    case Type::float8_e4m3:
      break;
  }
  return static_cast<double>(from_e4m3(static_cast<const std::uint8_t*>(data)[at]));
}

}  // namespace

void Data::add_expected(std::int64_t token, std::int64_t head, std::vector<Expected>& to) const {
  const Operands& o = operands_;
  const auto after = std::upper_bound(batch_.first_token.begin(), batch_.first_token.end(), token);
  const std::int64_t sequence = after - batch_.first_token.begin() - 1;
  const std::int64_t context = o.contexts[sequence];
  const std::int64_t past = context - (o.first_token[sequence + 1] - o.first_token[sequence]);
  const std::int64_t position = past + token - o.first_token[sequence];
  const std::int64_t kv_head = head / sizes_.group();
  const std::int64_t first = first_seen(o, position);
  // Where the key and the value of a position are: in the cache, or with the new tokens.
  struct Row {
    const void *keys, *values;
    std::int64_t at;
  };
  const auto row_of = [&](std::int64_t at) -> Row {
    if (at >= past)
      return {stored_keys_.data(), stored_values_.data(),
              ((o.first_token[sequence] + at - past) * o.kv_heads + kv_head) * o.head_size};
    const std::int64_t page = o.page_table[sequence * o.pages_per_sequence + at / o.page_size];
    return {o.key_cache, o.value_cache,
            ((page * o.kv_heads + kv_head) * o.page_size + at % o.page_size) * o.head_size};
  };
  const Type input = o.type == Type::float32 ? Type::float32 : Type::bfloat16;
  const std::int64_t q_row = (token * o.q_heads + head) * o.head_size;
  std::vector<double> weights;
  double largest =
      o.sinks != nullptr ? static_cast<double>(o.sinks[head]) : -std::numeric_limits<double>::infinity();
  for (std::int64_t at = first; at <= position; ++at) {
    const Row row = row_of(at);
    double score = 0;
    for (std::int64_t i = 0; i < o.head_size; ++i)
      score += element(o.q, input, q_row + i) * element(row.keys, o.type, row.at + i);
    score *= static_cast<double>(o.scale) * static_cast<double>(o.k_scale);
    if (o.soft_cap > 0) {
      const auto cap = static_cast<double>(o.soft_cap);
      score = cap * std::tanh(score / cap);
    }
    largest = std::max(largest, score);
    weights.push_back(score);
  }
  double sum = o.sinks != nullptr ? std::exp(static_cast<double>(o.sinks[head]) - largest) : 0;
  for (double& weight : weights) sum += weight = std::exp(weight - largest);
  const std::size_t begin = to.size();
  for (std::int64_t i = 0; i < o.head_size; ++i) to.push_back({q_row + i, 0, 0});
  for (std::int64_t at = first; at <= position; ++at) {
    const Row row = row_of(at);
    const double weight = weights[static_cast<std::size_t>(at - first)] / sum;
    for (std::int64_t i = 0; i < o.head_size; ++i) {
      const double term = weight * static_cast<double>(o.v_scale) * element(row.values, o.type, row.at + i);
      Expected& expected = to[begin + static_cast<std::size_t>(i)];
      expected.value += term;
      expected.magnitude += std::abs(term);
    }
  }
}

const std::vector<Expected>& Data::reference() {
  if (reference_) return *reference_;
  reference_.emplace();
  const std::int64_t rows = sizes_.tokens * sizes_.q_heads;
  const std::int64_t terms = 2 * sizes_.head_size * std::min(operands_.window, sizes_.context);
  const std::int64_t affordable = std::max<std::int64_t>(1, (std::int64_t{1} << 26) / terms);
  if (rows <= affordable) {
    for (std::int64_t row = 0; row < rows; ++row)
      add_expected(row / sizes_.q_heads, row % sizes_.q_heads, *reference_);
    return *reference_;
  }
  Random random(seed_ ^ 0x5eed);
  add_expected(sizes_.tokens - 1, sizes_.q_heads - 1, *reference_);
  for (std::int64_t i = 1; i < affordable; ++i) {
    const std::int64_t row = random.below(rows);
    add_expected(row / sizes_.q_heads, row % sizes_.q_heads, *reference_);
  }
  return *reference_;
}

double Data::max_error() {
  if (!cache_has_new_tokens()) return std::numeric_limits<double>::infinity();
  return kernels::max_error({y_.data(), y_.size()}, reference());
}

double Data::tolerance() const noexcept {
  return float32_tolerance(sizes_);
}

}  // namespace adaptive::kernels::ragged_paged_attention
