#pragma once

#include <cstdint>

// quantized_matmul: y[tokens, out_features] = x[tokens, in_features] * W[out_features, in_features]^T with
// weights of one byte.
//
//   int8_w8a8   W is int8, and x is quantised to int8 in each launch
//   int8_w8a16  W is int8, and x is multiplied as it is
//   fp8_w8a8    W is float8 e4m3, and x is quantised to that in each launch
//
// A weight is its level times a scale, and so is a quantised activation. `scales` says who shares a scale:
//
//   channel     a row of W; a token
//   tensor      all of W; all of x
//   block128    a block of 128 rows by 128 columns of W; 128 columns of a token
//
// The columns that share scales are a segment: with `block128` each 128 columns, otherwise all. The largest
// magnitude of what shares a scale becomes the largest level (127, or 448 in float8); `quantise.hpp` defines
// the rounding. Levels of int8 are from -127 to 127. x is bfloat16, y is float32. Levels of int8 are added
// without rounding, all others in float32; each segment's sum is multiplied by its two scales and added in
// float32.
//
// Layout on the host, with k_stride = in_features rounded up to a multiple of 128:
//   x          [tokens][k_stride], columns past in_features are zero
//   w          [out_features][k_stride], likewise
//   w_scales   [segments][out_features], a scale of several rows repeated
//   y          [tokens][out_features]

namespace adaptive::kernels::quantized_matmul {

enum class Types : std::int64_t {
  int8_w8a8,
  int8_w8a16,
  fp8_w8a8
};                                                               ///< in the order of the labels of `dtype`
enum class Scales : std::int64_t { channel, tensor, block128 };  ///< likewise of `scales`

inline constexpr std::int64_t block_columns = 128;  ///< of a scale, in both directions

/// The memory that every kernel of this family on the host reads and writes. It has only pointers, because
/// files compiled for wider instruction sets must not instantiate shared inline functions.
struct Operands {
  std::int64_t tokens, out_features, in_features, k_stride;
  Types types;
  Scales scales;
  std::int64_t segments, segment_columns;  ///< segment_columns is a multiple of 128
  const std::uint16_t* x;
  const std::uint8_t* w;
  const float* w_scales;
  float* y;
};

}  // namespace adaptive::kernels::quantized_matmul
