#include "kernels/grouped_gemm/problem.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/common/random.hpp"
#include "kernels/grouped_gemm/routing.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

void fill(float& element, float value) {
  element = value;
}

void fill(std::uint16_t& element, float value) {
  // Rounds half up: it does not matter to which of two neighbours a random number is rounded.
  element = static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(value) + 0x8000u) >> 16);
}

/// [rows][stride]; the first `columns` of each row are random, the others zero.
template <class T>
Buffer<T> random_rows(std::int64_t rows, std::int64_t stride, std::int64_t columns, float size,
                      Random& random) {
  Buffer<T> buffer(index(rows * stride));
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      fill(buffer[index(row * stride + column)], random.uniform(-size, size));
  return buffer;
}

}  // namespace

Data::Data(const Shape& shape, std::uint64_t seed) : sizes_(shape), seed_(seed) {
  make_groups(seed);
  Random random(seed);
  const std::int64_t stride = (sizes_.k + 15) / 16 * 16;
  const std::int64_t w_rows = sizes_.experts * sizes_.n;
  const float w_size = 1 / std::sqrt(static_cast<float>(sizes_.k));  // so that outputs are of order one
  operands_ = {.tokens = sizes_.tokens,
               .n = sizes_.n,
               .k = sizes_.k,
               .k_stride = stride,
               .experts = sizes_.experts,
               .type = sizes_.type,
               .x = nullptr,
               .w = nullptr,
               .y = nullptr,
               .groups = groups_.data(),
               .group_count = static_cast<std::int64_t>(groups_.size())};
  if (sizes_.type == Type::float32) {
    x_float_ = random_rows<float>(sizes_.tokens, stride, sizes_.k, 1, random);
    w_float_ = random_rows<float>(w_rows, stride, sizes_.k, w_size, random);
    operands_.x = x_float_.data();
    operands_.w = w_float_.data();
  } else {
    x_bfloat_ = random_rows<std::uint16_t>(sizes_.tokens, stride, sizes_.k, 1, random);
    w_bfloat_ = random_rows<std::uint16_t>(w_rows, stride, sizes_.k, w_size, random);
    operands_.x = x_bfloat_.data();
    operands_.w = w_bfloat_.data();
  }
  y_ = Buffer<float>(index(sizes_.tokens * sizes_.n));
  operands_.y = y_.data();
}

void Data::make_groups(std::uint64_t seed) {
  const std::vector<std::int64_t> rows_of =
      rows_by_zipf(sizes_.tokens, sizes_.experts, sizes_.filled, seed ^ 0x6e0e);
  std::int64_t first_row = 0;
  for (std::int64_t expert = 0; expert < sizes_.experts; ++expert) {
    const std::int64_t rows = rows_of[index(expert)];
    if (rows != 0) groups_.push_back({expert, first_row, rows});
    expert_of_row_.insert(expert_of_row_.end(), index(rows), expert);
    first_row += rows;
  }
  std::stable_sort(groups_.begin(), groups_.end(),
                   [](const Group& a, const Group& b) { return a.rows > b.rows; });
}

std::string Data::description() const {
  std::string rows;
  for (const Group& group : groups_) {
    if (!rows.empty()) rows += ", ";
    rows += std::to_string(group.rows);
  }
  return "y[" + std::to_string(sizes_.tokens) + ", " + std::to_string(sizes_.n) + "] = x[" +
         std::to_string(sizes_.tokens) + ", " + std::to_string(sizes_.k) + "] * W^T, " +
         (sizes_.type == Type::float32 ? "float32" : "bfloat16") + ", " + std::to_string(sizes_.experts) +
         " experts, rows per filled expert {" + rows + "}, seed " + std::to_string(seed_);
}

void Data::poison_output() noexcept {
  std::fill(y_.begin(), y_.end(), std::numeric_limits<float>::quiet_NaN());
}

std::span<const std::byte> Data::output() const noexcept {
  return std::as_bytes(std::span(y_.data(), y_.size()));
}

double Data::bytes() const noexcept {
  const double element = sizes_.type == Type::float32 ? 4 : 2;
  const auto tokens = static_cast<double>(sizes_.tokens);
  const auto n = static_cast<double>(sizes_.n);
  const auto k = static_cast<double>(sizes_.k);
  return element * (tokens * k + static_cast<double>(sizes_.filled) * n * k) + 4 * tokens * n;
}

double Data::operations() const noexcept {
  return 2.0 * static_cast<double>(sizes_.tokens) * static_cast<double>(sizes_.n) *
         static_cast<double>(sizes_.k);
}

}  // namespace adaptive::kernels::grouped_gemm
