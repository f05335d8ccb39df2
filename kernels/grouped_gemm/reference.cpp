#include <bit>
#include <cmath>
#include <limits>

#include "kernels/grouped_gemm/problem.hpp"

// The definition of the result from the layout of operands.hpp, with sums in double.

namespace adaptive::kernels::grouped_gemm {
namespace {

double element(const void* data, Type type, std::int64_t at) {
  if (type == Type::float32) return static_cast<double>(static_cast<const float*>(data)[at]);
  const std::uint32_t bits = static_cast<const std::uint16_t*>(data)[at];
  return static_cast<double>(std::bit_cast<float>(bits << 16));
}

}  // namespace

Expected Data::expected_at(std::int64_t row, std::int64_t column) const {
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
  return {row * sizes_.n + column, value, magnitude};
}

const std::vector<Expected>& Data::reference() {
  if (!reference_)
    reference_ =
        make_reference(sizes_.tokens, sizes_.n, sizes_.k, seed_,
                       [this](std::int64_t row, std::int64_t column) { return expected_at(row, column); });
  return *reference_;
}

double Data::max_error() {
  return kernels::max_error({y_.data(), y_.size()}, reference());
}

double Data::tolerance() const noexcept {
  // The rounding errors of a long sum grow like a random walk; 4 covers the few roundings of each term. The
  // operands are exact, whatever their type, because the reference reads the stored values.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) *
         (4 + std::sqrt(static_cast<double>(sizes_.k)) / 4);
}

}  // namespace adaptive::kernels::grouped_gemm
