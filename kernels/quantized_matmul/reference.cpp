#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/quantized_matmul/problem.hpp"
#include "kernels/quantized_matmul/quantise.hpp"

// The definition of the result from operands.hpp, with sums in double.

namespace adaptive::kernels::quantized_matmul {
namespace {

/// An activation's level and scale, for every token and column.
struct Levels {
  std::vector<double> level, scale;
};

Levels levels_of(const Operands& o) {
  Levels result;
  const auto size = static_cast<std::size_t>(o.tokens * o.k_stride);
  result.level.resize(size);
  result.scale.assign(size, 1.0);
  const auto value = [&](std::int64_t at) { return from_bfloat16(o.x[at]); };
  if (o.types == Types::int8_w8a16) {
    for (std::size_t i = 0; i < size; ++i)
      result.level[i] = static_cast<double>(value(static_cast<std::int64_t>(i)));
    return result;
  }
  const bool is_int8 = o.types == Types::int8_w8a8;
  const std::int64_t all = o.tokens * o.k_stride;
  const std::int64_t together = o.scales == Scales::tensor ? all : o.segment_columns;
  for (std::int64_t begin = 0; begin < all; begin += together) {
    float largest = 0;
    for (std::int64_t i = begin; i < begin + together; ++i) largest = std::max(largest, std::fabs(value(i)));
    const Scaling scaling = scaling_of(largest, is_int8 ? int8_max : e4m3_max);
    for (std::int64_t i = begin; i < begin + together; ++i) {
      const float scaled = value(i) * scaling.to_level;
      result.level[static_cast<std::size_t>(i)] = is_int8 ? static_cast<double>(rounded_to_int8(scaled))
                                                          : static_cast<double>(from_e4m3(to_e4m3(scaled)));
      result.scale[static_cast<std::size_t>(i)] = static_cast<double>(scaling.scale);
    }
  }
  return result;
}

}  // namespace

const std::vector<Expected>& Data::reference() {
  if (reference_) return *reference_;
  const Operands& o = operands_;
  const Levels x = levels_of(o);
  reference_ = make_reference(
      o.tokens, o.out_features, o.in_features, seed_, [&](std::int64_t token, std::int64_t row) -> Expected {
        double sum = 0, magnitude = 0;
        for (std::int64_t i = 0; i < o.in_features; ++i) {
          const auto at = static_cast<std::size_t>(token * o.k_stride + i);
          const std::uint8_t byte = o.w[row * o.k_stride + i];
          const double level = o.types == Types::fp8_w8a8
                                   ? static_cast<double>(from_e4m3(byte))
                                   : static_cast<double>(static_cast<std::int8_t>(byte));
          const auto scale = static_cast<double>(o.w_scales[i / o.segment_columns * o.out_features + row]);
          const double term = x.level[at] * x.scale[at] * level * scale;
          sum += term;
          magnitude += std::abs(term);
        }
        return {token * o.out_features + row, sum, magnitude};
      });
  return *reference_;
}

double Data::max_error() {
  return kernels::max_error({y_.data(), y_.size()}, reference());
}

}  // namespace adaptive::kernels::quantized_matmul
