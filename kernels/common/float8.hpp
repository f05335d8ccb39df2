#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

// Numbers of one and two bytes, for every backend. Not for files that are compiled for wider instruction
// sets.

namespace adaptive::kernels {

inline constexpr float e4m3_max = 448;

inline float from_bfloat16(std::uint16_t value) {
  return std::bit_cast<float>(std::uint32_t{value} << 16);
}

/// The value of a float8 with 4 bits of exponent and 3 of mantissa (OCP E4M3). 0x7f and 0xff, which are not
/// numbers, do not occur.
inline float from_e4m3(std::uint8_t value) {
  const int exponent = value >> 3 & 15;
  const int mantissa = value & 7;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                        : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
  return (value & 0x80) != 0 ? -magnitude : magnitude;
}

/// Rounds to the nearest float8, ties to even; magnitudes above 448 become 448. Without branches, so that
/// compilers vectorise a loop.
inline std::uint8_t to_e4m3(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  constexpr int dropped = 23 - 3;
  const std::uint32_t rounded =
      (magnitude + (1u << (dropped - 1)) - 1 + (magnitude >> dropped & 1)) >> dropped;
  const auto normal = static_cast<std::int32_t>(rounded) - ((127 - 7) << 3);
  // Below 2^-6, steps are of 2^-9. The sum rounds to the step, because 2^14 has steps of 2^-9.
  const float sum = std::bit_cast<float>(magnitude) + 0x1p14f;
  const std::int32_t steps = std::bit_cast<std::int32_t>(sum) - std::bit_cast<std::int32_t>(0x1p14f);
  const std::int32_t level = magnitude < std::bit_cast<std::uint32_t>(0x1p-6f) ? steps : normal;
  return static_cast<std::uint8_t>((bits >> 24 & 0x80) |
                                   static_cast<std::uint32_t>(level > 0x7e ? 0x7e : level));
}

/// The same rounding for numbers that become float8 only in value: from_e4m3(to_e4m3(value)), without
/// branches.
inline float rounded_to_e4m3(float value) {
  const float magnitude = std::fabs(value);
  const float small = (magnitude + 0x1p14f) - 0x1p14f;
  std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude);
  constexpr int dropped = 23 - 3;
  bits = (bits + (1u << (dropped - 1)) - 1 + (bits >> dropped & 1)) >> dropped << dropped;
  float rounded = magnitude < 0x1p-6f ? small : std::bit_cast<float>(bits);
  rounded = rounded < e4m3_max ? rounded : e4m3_max;
  return std::copysign(rounded, value);
}

}  // namespace adaptive::kernels
