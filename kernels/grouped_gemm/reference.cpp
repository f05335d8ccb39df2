#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/common/random.hpp"
#include "kernels/grouped_gemm/problem.hpp"

// The definition of the result, from the layout of operands.hpp, with sums in double.

namespace adaptive::kernels::grouped_gemm {
namespace {

double element(const void* data, Type type, std::int64_t at) {
  if (type == Type::float32) return static_cast<double>(static_cast<const float*>(data)[at]);
  const std::uint32_t bits = static_cast<const std::uint16_t*>(data)[at];
  return static_cast<double>(std::bit_cast<float>(bits << 16));
}

}  // namespace

Data::Expected Data::expected_at(std::int64_t row, std::int64_t column) const {
  const std::int64_t expert = expert_of_row_[static_cast<std::size_t>(row)];
  const std::int64_t w_row = (expert * sizes_.n + column) * operands_.k_stride;
  double value = 0;
  double magnitude = 0;
  for (std::int64_t i = 0; i < sizes_.k; ++i) {
    const double term = element(operands_.x, sizes_.type, row * operands_.k_stride + i) *
                        element(operands_.w, sizes_.type, w_row + i);
    value += term;
    magnitude += std::abs(term);
  }
  return {row, column, value, magnitude};
}

void Data::make_reference() {
  std::vector<Expected>& reference = reference_.emplace();
  const std::int64_t elements = sizes_.tokens * sizes_.n;
  const std::int64_t affordable = (std::int64_t{1} << 26) / sizes_.k;
  if (elements <= affordable) {
    for (std::int64_t row = 0; row < sizes_.tokens; ++row)
      for (std::int64_t column = 0; column < sizes_.n; ++column)
        reference.push_back(expected_at(row, column));
    return;
  }
  Random random(seed_ ^ 0x5eed);
  reference.push_back(expected_at(sizes_.tokens - 1, sizes_.n - 1));
  for (std::int64_t i = 1; i < affordable; ++i) {
    const std::int64_t at = random.below(elements);
    reference.push_back(expected_at(at / sizes_.n, at % sizes_.n));
  }
}

double Data::max_error() {
  for (const float value : y_)
    if (!std::isfinite(value)) return std::numeric_limits<double>::infinity();
  if (!reference_) make_reference();
  double worst = 0;
  for (const Expected& expected : *reference_) {
    const float actual = y_[static_cast<std::size_t>(expected.row * sizes_.n + expected.column)];
    const double error = std::abs(static_cast<double>(actual) - expected.value);
    // A sum of zeros has magnitude zero and must be exactly zero.
    worst = std::max(worst, error / std::max(expected.magnitude, 1e-30));
  }
  return worst;
}

double Data::tolerance() const noexcept {
  // Rounding errors of a long sum wander like a random walk; 4 covers the few roundings of each term. The
  // operands are exact, whatever their type: the reference reads the stored values.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) *
         (4 + std::sqrt(static_cast<double>(sizes_.k)) / 4);
}

}  // namespace adaptive::kernels::grouped_gemm
