#include "kernels/quantized_matmul/problem.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/common/random.hpp"
#include "kernels/quantized_matmul/quantise.hpp"

namespace adaptive::kernels::quantized_matmul {
namespace {

std::size_t place(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

std::int64_t padded(std::int64_t columns) {
  return (columns + block_columns - 1) / block_columns * block_columns;
}

}  // namespace

std::vector<Dimension> dimensions() {
  return {{"tokens", Dimension::Kind::size},
          {"out_features", Dimension::Kind::size},
          {"in_features", Dimension::Kind::size},
          {"dtype", Dimension::Kind::label, {"int8_w8a8", "int8_w8a16", "fp8_w8a8"}},
          {"scales", Dimension::Kind::label, {"channel", "tensor", "block128"}}};
}

std::optional<std::string> why_no_product(const Shape& shape, int elements_log2) {
  static const std::vector<Dimension> names = dimensions();
  if (auto why = why_out_of_range(names, shape)) return why;
  for (std::size_t i = 0; i < 3; ++i)
    if (shape[i] == 0) return names[i].name + " is 0; it must be at least 1";
  const Sizes sizes(shape);
  // A sum of int8 products must fit 32 bits: 127 * 127 * 2^17 < 2^31.
  constexpr std::int64_t columns_max = std::int64_t{1} << 17;
  if (sizes.in_features > columns_max) return "in_features is above 2^17";
  if (sizes.types == Types::int8_w8a16 && sizes.scales != Scales::channel)
    return "int8_w8a16 has scales by channel only";
  if (sizes.types == Types::int8_w8a8 && sizes.scales == Scales::tensor)
    return "int8_w8a8 has scales by channel or block128, not by tensor";
  const std::int64_t elements_max = std::int64_t{1} << elements_log2;
  const std::string above = " is above 2^" + std::to_string(elements_log2);
  if (sizes.out_features > elements_max / sizes.in_features) return "out_features * in_features" + above;
  if (sizes.tokens > elements_max / std::max(sizes.in_features, sizes.out_features))
    return "tokens * max(out_features, in_features)" + above;
  return std::nullopt;
}

Data::Data(const Shape& shape, std::uint64_t seed) : sizes_(shape), seed_(seed) {
  const std::int64_t stride = padded(sizes_.in_features);
  const bool by_block = sizes_.scales == Scales::block128;
  const std::int64_t segments = by_block ? stride / block_columns : 1;
  x_ = Buffer<std::uint16_t>(place(sizes_.tokens * stride));
  w_ = Buffer<std::uint8_t>(place(sizes_.out_features * stride));
  w_scales_ = Buffer<float>(place(segments * sizes_.out_features));
  y_ = Buffer<float>(place(sizes_.tokens * sizes_.out_features));
  operands_ = {.tokens = sizes_.tokens,
               .out_features = sizes_.out_features,
               .in_features = sizes_.in_features,
               .k_stride = stride,
               .types = sizes_.types,
               .scales = sizes_.scales,
               .segments = segments,
               .segment_columns = stride / segments,
               .x = x_.data(),
               .w = w_.data(),
               .w_scales = w_scales_.data(),
               .y = y_.data()};
  Random random(seed);
  for (std::int64_t token = 0; token < sizes_.tokens; ++token) {
    // Tokens differ in size, so that a scale of the wrong token is noticed.
    const float size = random.uniform(0.25F, 4);
    for (std::int64_t column = 0; column < sizes_.in_features; ++column)
      x_[place(token * stride + column)] =
          static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(random.uniform(-size, size)) >> 16);
  }
  for (std::int64_t row = 0; row < sizes_.out_features; ++row)
    for (std::int64_t column = 0; column < sizes_.in_features; ++column)
      w_[place(row * stride + column)] =
          sizes_.types == Types::fp8_w8a8
              ? to_e4m3(random.uniform(-e4m3_max, e4m3_max))
              : static_cast<std::uint8_t>(static_cast<std::int8_t>(random.below(255) - 127));
  // So that outputs are of order one.
  const float usual = 1 / ((sizes_.types == Types::fp8_w8a8 ? e4m3_max : int8_max) *
                           std::sqrt(static_cast<float>(sizes_.in_features)));
  const std::int64_t rows_of_scale = sizes_.scales == Scales::channel  ? 1
                                     : sizes_.scales == Scales::tensor ? sizes_.out_features
                                                                       : block_columns;
  for (std::int64_t segment = 0; segment < segments; ++segment) {
    float scale = 0;
    for (std::int64_t row = 0; row < sizes_.out_features; ++row) {
      if (row % rows_of_scale == 0) scale = usual * random.uniform(0.5F, 2);
      w_scales_[place(segment * sizes_.out_features + row)] = scale;
    }
  }
}

std::string Data::description() const {
  static const std::vector<Dimension> names = dimensions();
  return "y[" + std::to_string(sizes_.tokens) + ", " + std::to_string(sizes_.out_features) + "] = x[" +
         std::to_string(sizes_.tokens) + ", " + std::to_string(sizes_.in_features) + "] * W^T, " +
         names[3].labels[static_cast<std::size_t>(sizes_.types)] + ", scales by " +
         names[4].labels[static_cast<std::size_t>(sizes_.scales)] + ", seed " + std::to_string(seed_);
}

void Data::poison_output() noexcept {
  std::fill(y_.begin(), y_.end(), std::numeric_limits<float>::quiet_NaN());
}

std::span<const std::byte> Data::output() const noexcept {
  return std::as_bytes(std::span(y_.data(), y_.size()));
}

double Data::tolerance() const noexcept {
  // As in grouped_gemm. The levels are exact, because the reference rounds as quantise.hpp says.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) *
         (4 + std::sqrt(static_cast<double>(sizes_.in_features)) / 4);
}

double Data::bytes() const noexcept {
  const auto tokens = static_cast<double>(sizes_.tokens);
  const auto out = static_cast<double>(sizes_.out_features);
  const auto in = static_cast<double>(sizes_.in_features);
  const double scales = sizes_.scales == Scales::channel  ? out
                        : sizes_.scales == Scales::tensor ? 1
                                                          : std::ceil(out / 128) * std::ceil(in / 128);
  return 2 * tokens * in + out * in + 4 * scales + 4 * tokens * out;
}

double Data::operations() const noexcept {
  return 2.0 * static_cast<double>(sizes_.tokens) * static_cast<double>(sizes_.out_features) *
         static_cast<double>(sizes_.in_features);
}

}  // namespace adaptive::kernels::quantized_matmul
