#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

// The definition of the quantised levels, for every backend. Not for files that are compiled for wider
// instruction sets.

namespace adaptive::kernels::quantized_matmul {

inline constexpr float int8_max = 127;
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

/// Rounds to the nearest float8, ties to even; magnitudes above 448 become 448.
inline std::uint8_t to_e4m3(float value) {
  const std::uint8_t sign = std::signbit(value) ? 0x80 : 0;
  const float magnitude = std::fabs(value);
  if (magnitude >= e4m3_max) return sign | 0x7e;
  // Below 2^-6, steps are of 2^-9. The sum rounds to the step, because 2^14 has steps of 2^-9.
  if (magnitude < 0x1p-6f) {
    const float steps = (magnitude + 0x1p14f) - 0x1p14f;
    return sign | static_cast<std::uint8_t>(steps * 0x1p9f);  // 8 steps are the smallest normal number
  }
  std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude);
  constexpr int dropped = 23 - 3;
  bits += (1u << (dropped - 1)) - 1 + (bits >> dropped & 1);
  const auto level = static_cast<std::int32_t>(bits >> dropped) - ((127 - 7) << 3);
  return sign | static_cast<std::uint8_t>(level > 0x7e ? 0x7e : level);
}

/// The same rounding for activations that become float8 only in value: from_e4m3(to_e4m3(value)), without
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

/// Rounds to the nearest integer, ties to even. Magnitudes are at most 127.
inline float rounded_to_int8(float value) {
  return (value + 0x1.8p23f) - 0x1.8p23f;  // 1.5 * 2^23 has steps of 1; compilers vectorise this
}

/// What activations are multiplied by before they are rounded, and the scale of the levels.
struct Scaling {
  float to_level, scale;
};

/// `largest` is the largest magnitude of the activations that share the scale.
inline Scaling scaling_of(float largest, float level_max) {
  if (largest == 0) return {0, 0};
  return {level_max / largest, largest / level_max};
}

}  // namespace adaptive::kernels::quantized_matmul
