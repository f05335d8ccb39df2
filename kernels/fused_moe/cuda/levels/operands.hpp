#pragma once

namespace adaptive::kernels::fused_moe::levels {

/// One of the two products with weights of fewer than 16 bits, on the device. Everything of 16 bits is
/// bfloat16. k is a multiple of 16, or of 128 for weights of 4 bits, and n of 8.
///
///   weights          w                     w_scales                                    x_scales
///   float8 e4m3      [experts][n][k]       [experts][parts][row blocks][segments]      [segments][stride]
///   int8             [experts][n][k]       [experts][n]                                none, or [rows of x]
///   4 bits           [experts][n][k / 2]   [experts][n][k / 64], bfloat16              none
///
/// A segment is 128 columns, the last one fewer; a row block 128 rows of a part, which is gate or up, or down
/// as a whole. A word of 32 bits has eight columns of 4 bits: its low half the columns 0, 2, 4 and 6, from
/// the lowest bits on, and its high half the columns 1, 3, 5 and 7, so that two neighbours are widened at
/// once. Their levels are 0 to 15, and the weight is the level less 8, times the scale.
struct ProductOperands {
  const void* x = nullptr;  ///< [rows of x][k], levels or bfloat16
  const float* x_scales = nullptr;
  int x_scale_stride = 0;  ///< float8: from a segment to the next
  const void* w = nullptr;
  const float* w_scales = nullptr;
  void* y = nullptr;
  const int* ends = nullptr;    ///< [experts]: the end of each expert's rows
  const int* row_of = nullptr;  ///< the row of x of each row; null if they are the same
  int n = 0, k = 0, experts = 0;
};

}  // namespace adaptive::kernels::fused_moe::levels
