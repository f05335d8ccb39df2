#include "kernels/quantized_matmul/cpu/activations.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "kernels/quantized_matmul/quantise.hpp"

namespace adaptive::kernels::quantized_matmul {
namespace {

float largest_of(const std::uint16_t* x, std::int64_t count) {
  // The bits of magnitudes are in the order of the magnitudes.
  std::uint16_t largest = 0;
  for (std::int64_t i = 0; i < count; ++i)
    largest = std::max(largest, static_cast<std::uint16_t>(x[i] & 0x7fff));
  return from_bfloat16(largest);
}

}  // namespace

Activations::Activations(const Operands& operands, std::int64_t tile_max) : operands_(operands) {
  const auto rows = static_cast<std::size_t>(operands.tokens + tile_max);
  const auto columns = static_cast<std::size_t>(operands.k_stride);
  if (operands.types == Types::int8_w8a8) integers_ = Buffer<std::int8_t>(rows * columns);
  floats_ = Buffer<float>(rows * columns);
  scales_ = Buffer<float>(rows * static_cast<std::size_t>(operands.segments));
  row_ = Buffer<float>(columns);
  token_scales_ = Buffer<float>(static_cast<std::size_t>(operands.segments));
}

void Activations::begin() noexcept {
  if (operands_.scales == Scales::tensor)
    largest_ = largest_of(operands_.x, operands_.tokens * operands_.k_stride);
}

// Levels of one token go to `row_`, and its scales to `scales`.
void Activations::quantise_token(std::int64_t token, float* scales) noexcept {
  const std::uint16_t* x = operands_.x + token * operands_.k_stride;
  float* const row = row_.data();
  const std::int64_t columns = operands_.segment_columns;
  for (std::int64_t segment = 0; segment < operands_.segments; ++segment) {
    const std::int64_t begin = segment * columns;
    if (operands_.types == Types::int8_w8a16) {
      for (std::int64_t i = begin; i < begin + columns; ++i) row[i] = from_bfloat16(x[i]);
      scales[segment] = 1;
      continue;
    }
    const float largest = operands_.scales == Scales::tensor ? largest_ : largest_of(x + begin, columns);
    const bool is_int8 = operands_.types == Types::int8_w8a8;
    const Scaling scaling = scaling_of(largest, is_int8 ? int8_max : e4m3_max);
    scales[segment] = scaling.scale;
    if (is_int8)
      for (std::int64_t i = begin; i < begin + columns; ++i)
        row[i] = rounded_to_int8(from_bfloat16(x[i]) * scaling.to_level);
    else
      for (std::int64_t i = begin; i < begin + columns; ++i)
        row[i] = rounded_to_e4m3(from_bfloat16(x[i]) * scaling.to_level);
  }
}

void Activations::quantise(std::int64_t first_token, std::int64_t tile, bool as_floats) noexcept {
  const std::int64_t columns = operands_.k_stride;
  const bool as_integers = operands_.types == Types::int8_w8a8 && !as_floats;
  float* const floats = floats_.data() + first_token * columns;
  std::int8_t* const integers = as_integers ? integers_.data() + first_token * columns : nullptr;
  float* const scales = scales_.data() + first_token * operands_.segments;
  for (std::int64_t t = 0; t < tile; ++t) {
    const bool exists = first_token + t < operands_.tokens;
    if (exists) quantise_token(first_token + t, token_scales_.data());
    for (std::int64_t segment = 0; segment < operands_.segments; ++segment)
      scales[segment * tile + t] = exists ? token_scales_[static_cast<std::size_t>(segment)] : 0;
    const float* const row = row_.data();
    if (as_integers) {
      for (std::int64_t quad = 0; quad < columns / 4; ++quad) {
        std::int8_t four[4] = {};
        if (exists)
          for (int i = 0; i < 4; ++i) four[i] = static_cast<std::int8_t>(row[quad * 4 + i]);
        std::memcpy(integers + (quad * tile + t) * 4, four, sizeof four);
      }
    } else {
      for (std::int64_t column = 0; column < columns; ++column)
        floats[column * tile + t] = exists ? row[column] : 0;
    }
  }
}

Tile Activations::tile(std::int64_t first_token, std::int64_t tile) const noexcept {
  const std::int64_t at = first_token * operands_.k_stride;
  const bool has_integers = operands_.types == Types::int8_w8a8;
  return {has_integers ? integers_.data() + at : nullptr, floats_.data() + at,
          scales_.data() + first_token * operands_.segments, first_token,
          std::min(tile, operands_.tokens - first_token)};
}

}  // namespace adaptive::kernels::quantized_matmul
