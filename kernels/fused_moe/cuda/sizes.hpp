#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/fused_moe/cuda/kernels.hpp"
#include "kernels/fused_moe/problem.hpp"

namespace adaptive::kernels::fused_moe {

/// The values of a shape with cuda_dimensions() by name. `type` is that of x: bfloat16.
struct DeviceSizes : Sizes {
  DeviceType weights;
  explicit DeviceSizes(const Shape& shape) : Sizes(shape), weights(static_cast<DeviceType>(shape.back())) {
    type = Type::bfloat16;
  }

  /// Number of pairs of token and slot.
  std::int64_t pairs() const { return tokens * top_k; }
  bool quantises() const { return weights == DeviceType::fp8_w8a8 || weights == DeviceType::int8_w8a8; }
};

/// Number of scales of a row of x or h, which is quantised.
inline std::int64_t row_scales(DeviceType type, std::int64_t columns) {
  return type == DeviceType::fp8_w8a8 ? (columns + 127) / 128 : 1;
}

inline std::size_t weight_bytes(DeviceType type, std::int64_t rows, std::int64_t columns) {
  const auto elements = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  if (type == DeviceType::int4_w4a16) return elements / 2;
  return type == DeviceType::bfloat16 ? 2 * elements : elements;
}

/// Number of scales of `parts` parts of weights (levels/operands.hpp).
inline std::int64_t scale_count(DeviceType type, std::int64_t parts, std::int64_t rows,
                                std::int64_t columns) {
  switch (type) {
    case DeviceType::bfloat16:
      break;
    case DeviceType::fp8_w8a8:
      return parts * ((rows + 127) / 128) * ((columns + 127) / 128);
    case DeviceType::int4_w4a16:
      return parts * rows * (columns / 64);
    case DeviceType::int8_w8a16:
    case DeviceType::int8_w8a8:
      return parts * rows;
  }
  return 0;
}

inline std::size_t scale_bytes(DeviceType type, std::int64_t parts, std::int64_t rows, std::int64_t columns) {
  const std::size_t each = type == DeviceType::int4_w4a16 ? 2 : 4;
  return each * static_cast<std::size_t>(scale_count(type, parts, rows, columns));
}

}  // namespace adaptive::kernels::fused_moe
