#include <algorithm>

#include "kernels/common/cpu/eigen_multiply.hpp"
#include "kernels/quantized_matmul/cpu/kernels.hpp"

// What a programmer would write with a library at hand. Levels are multiplied as floats; scales are applied
// to the sums of a segment.

namespace adaptive::kernels::quantized_matmul {

void eigen_dequantise(const Operands& o, const float* levels, const float* x_scales, const float* value_of,
                      float* scratch) noexcept {
  static const EigenMultiply multiply = eigen_products().transposed;
  constexpr std::int64_t side = 128;
  static_assert(side <= eigen_side_max && side <= eigen_depth_max && 2 * side * side == eigen_scratch);
  float* const panel = scratch;
  float* const sums = scratch + side * side;
  for (std::int64_t row = 0; row < o.out_features; row += side) {
    const std::int64_t rows = std::min(side, o.out_features - row);
    for (std::int64_t token = 0; token < o.tokens; token += side) {
      const std::int64_t tokens = std::min(side, o.tokens - token);
      for (std::int64_t segment = 0; segment < o.segments; ++segment) {
        const std::int64_t begin = segment * o.segment_columns;
        for (std::int64_t k = begin; k < begin + o.segment_columns; k += side) {
          for (std::int64_t r = 0; r < rows; ++r)
            for (std::int64_t c = 0; c < side; ++c)
              panel[r * side + c] = value_of[o.w[(row + r) * o.k_stride + k + c]];
          multiply(levels + token * o.k_stride + k, o.k_stride, panel, side, sums, side, tokens, side, rows,
                   k != begin);
        }
        const float* w_scales = o.w_scales + segment * o.out_features + row;
        for (std::int64_t t = 0; t < tokens; ++t) {
          const float x_scale = x_scales[(token + t) * o.segments + segment];
          float* y = o.y + (token + t) * o.out_features + row;
          for (std::int64_t r = 0; r < rows; ++r) {
            const float part = sums[t * side + r] * w_scales[r] * x_scale;
            y[r] = segment == 0 ? part : y[r] + part;
          }
        }
      }
    }
  }
}

}  // namespace adaptive::kernels::quantized_matmul
