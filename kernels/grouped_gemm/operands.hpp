#pragma once

#include <cstdint>

// A mixture-of-experts layer: y[row, n] = x[row, k] * W[expert of row][n, k]^T for rows sorted by expert.
//
// The rows are distributed unevenly (by Zipf's law) over `filled` of the experts, each of which has at least
// one row; the other experts have none. x and W are stored as float32 or bfloat16; sums and y are float32.
//
// Layout, with k_stride = k rounded up to a multiple of 16:
//   x  [tokens][k_stride]; the columns past k are zero, so that kernels need no special case for them
//   w  [experts][n][k_stride]; likewise
//   y  [tokens][n]

namespace adaptive::kernels::grouped_gemm {

enum class Type { float32, bfloat16 };  ///< in the order of the labels of `dtype`

/// The rows of one expert that has rows.
struct Group {
  std::int64_t expert, first_row, rows;
};

/// The memory that every backend of this family reads and writes. It has only pointers, because files
/// compiled for wider instruction sets must not instantiate shared inline functions.
struct Operands {
  std::int64_t tokens, n, k, k_stride, experts;
  Type type;
  const void* x;  ///< float or std::uint16_t by `type`
  const void* w;  ///< likewise
  float* y;
  const Group* groups;  ///< [group_count], most rows first, because work that starts first may take longest
  std::int64_t group_count;
};

}  // namespace adaptive::kernels::grouped_gemm
