#include <cstring>

#include "kernels/common/cpu/eigen_multiply.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"

// A loop over the experts with a library's matrix product. It is the obvious implementation, and hard to beat
// for long groups in float32.

namespace adaptive::kernels::grouped_gemm {
namespace {

/// Converts [rows][depth] of a row-major bfloat16 matrix to float32 with a row stride of eigen_depth_max.
void widen(const std::uint16_t* from, std::int64_t stride, std::int64_t rows, std::int64_t depth, float* to) {
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t k = 0; k < depth; ++k) {
      const std::uint32_t bits = std::uint32_t{from[row * stride + k]} << 16;
      std::memcpy(to + row * eigen_depth_max + k, &bits, sizeof bits);
    }
}

}  // namespace

void eigen_experts(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  static const EigenMultiply multiply = eigen_products().transposed;
  static_assert(eigen_side_max * eigen_depth_max <= panel_columns * panel_depth);
  const std::int64_t stride = operands.k_stride;
  const std::int64_t last_column =
      share.block_end * block_columns < operands.n ? share.block_end * block_columns : operands.n;
  float* panel = scratch.panels + share.thread * panel_columns * panel_depth;
  for (std::int64_t g = share.group_begin; g < share.group_end; ++g) {
    const Group& group = operands.groups[g];
    for (std::int64_t column = share.block_begin * block_columns; column < last_column;
         column += eigen_side_max) {
      const std::int64_t columns =
          last_column - column < eigen_side_max ? last_column - column : eigen_side_max;
      for (std::int64_t k = 0; k < stride; k += eigen_depth_max) {
        const std::int64_t depth = stride - k < eigen_depth_max ? stride - k : eigen_depth_max;
        const std::int64_t at = (group.expert * operands.n + column) * stride + k;
        const float* w = panel;
        std::int64_t w_stride = eigen_depth_max;
        if (operands.type == Type::float32) {
          w = static_cast<const float*>(operands.w) + at;
          w_stride = stride;
        } else {
          widen(static_cast<const std::uint16_t*>(operands.w) + at, stride, columns, depth, panel);
        }
        for (std::int64_t row = 0; row < group.rows; row += eigen_side_max) {
          const std::int64_t rows = group.rows - row < eigen_side_max ? group.rows - row : eigen_side_max;
          multiply(scratch.x_tiles + (scratch.tile_rows[g] + row) * stride + k, stride, w, w_stride,
                   operands.y + (group.first_row + row) * operands.n + column, operands.n, rows, depth,
                   columns, k != 0);
        }
      }
    }
  }
}

}  // namespace adaptive::kernels::grouped_gemm
