#include <cmath>
#include <limits>

#include "kernels/mixed_bit_matmul/problem.hpp"

// The definition of the result: levels are read one by one from the layout of operands.hpp, and sums are in
// double.

namespace adaptive::kernels::mixed_bit_matmul {

int Data::level(std::int64_t row, std::int64_t column) const {
  const std::int64_t block = row / block_rows;
  const int bits = block_bits_[static_cast<std::size_t>(block)];
  const std::int64_t in_group = column % group_size;
  const std::uint32_t* group = block_words_[static_cast<std::size_t>(block)] +
                               column / group_size * 2 * bits * block_rows + row % block_rows;
  const int low_bits = bits == 3 ? 2 : bits;
  const std::int64_t per_word = 32 / low_bits;
  const std::uint32_t word = group[in_group / per_word * block_rows];
  std::uint32_t level = word >> (in_group % per_word * low_bits) & ((1u << low_bits) - 1);
  if (bits == 3) level |= (group[(4 + in_group / 32) * block_rows] >> (in_group % 32) & 1) << 2;
  return static_cast<int>(level);
}

Expected Data::expected_at(std::int64_t token, std::int64_t row) const {
  const float* x = operands_.x + token * operands_.groups * group_size;
  const float* scales = operands_.scales + row / block_rows * operands_.groups * 2 * block_rows;
  double value = 0;
  double magnitude = 0;
  for (std::int64_t column = 0; column < sizes_.in_features; ++column) {
    const float* group = scales + column / group_size * 2 * block_rows + row % block_rows;
    const double scaled = static_cast<double>(group[0]) * level(row, column);
    const double offset = static_cast<double>(group[block_rows]);
    value += (scaled + offset) * static_cast<double>(x[column]);
    magnitude += (std::abs(scaled) + std::abs(offset)) * std::abs(static_cast<double>(x[column]));
  }
  return {token * sizes_.out_features + row, value, magnitude};
}

const std::vector<Expected>& Data::reference() {
  if (!reference_) reference_ = reference_of(sizes_.tokens);
  return *reference_;
}

std::vector<Expected> Data::reference_of(std::int64_t tokens) const {
  return make_reference(tokens, sizes_.out_features, sizes_.in_features, seed_,
                        [this](std::int64_t token, std::int64_t row) { return expected_at(token, row); });
}

double Data::max_error() {
  return kernels::max_error({y_.data(), y_.size()}, reference());
}

double Data::tolerance() const noexcept {
  // The rounding errors of a long sum grow like a random walk; 8 covers the few roundings of each term.
  return std::numeric_limits<float>::epsilon() * (8 + std::sqrt(static_cast<double>(sizes_.in_features)) / 4);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
