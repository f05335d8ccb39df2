#pragma once

#include "kernels/common/float8.hpp"

// The definition of the quantised levels, for every backend. Not for files that are compiled for wider
// instruction sets.

namespace adaptive::kernels::quantized_matmul {

inline constexpr float int8_max = 127;

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
