#include <cmath>
#include <limits>

#include "kernels/common/random.hpp"
#include "kernels/mixed_bit_matmul/problem.hpp"

// The definition of the result: levels read one by one from the layout of problem.hpp, sums in double.

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

Data::Expected Data::expected_at(std::int64_t token, std::int64_t row) const {
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
  return {token, row, value, magnitude};
}

void Data::make_reference() {
  std::vector<Expected>& reference = reference_.emplace();
  const std::int64_t elements = sizes_.tokens * sizes_.out_features;
  const std::int64_t affordable = (std::int64_t{1} << 26) / std::max<std::int64_t>(1, sizes_.in_features);
  if (elements <= affordable) {
    for (std::int64_t t = 0; t < sizes_.tokens; ++t)
      for (std::int64_t r = 0; r < sizes_.out_features; ++r) reference.push_back(expected_at(t, r));
    return;
  }
  Random random(seed_ ^ 0x5eed);
  reference.push_back(expected_at(sizes_.tokens - 1, sizes_.out_features - 1));
  for (std::int64_t i = 1; i < affordable; ++i) {
    const std::int64_t element = random.below(elements);
    reference.push_back(expected_at(element / sizes_.out_features, element % sizes_.out_features));
  }
}

const std::vector<Data::Expected>& Data::reference() {
  if (!reference_) make_reference();
  return *reference_;
}

double Data::max_error() {
  for (const float value : y_)
    if (!std::isfinite(value)) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (const Expected& expected : reference()) {
    const float actual = y_[static_cast<std::size_t>(expected.token * sizes_.out_features + expected.row)];
    const double error = std::abs(static_cast<double>(actual) - expected.value);
    // A sum without terms has magnitude zero and must be exactly zero.
    worst = std::max(worst, error / std::max(expected.magnitude, 1e-30));
  }
  return worst;
}

double Data::tolerance() const noexcept {
  // Rounding errors of a long sum wander like a random walk; 8 covers the few roundings of each term.
  return std::numeric_limits<float>::epsilon() * (8 + std::sqrt(static_cast<double>(sizes_.in_features)) / 4);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
