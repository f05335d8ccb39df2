#include "kernels/common/cpu/eigen_multiply.hpp"
#include "kernels/common/cpu/processor.hpp"
#include "kernels/mixed_bit_matmul/cpu/kernels.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

Dequantise widest_dequantise() noexcept {
#ifdef ADAPTIVE_KERNELS_X86
  if (has_avx512()) return dequantise_avx512;
  if (has_avx2()) return dequantise_avx2;
#endif
  return dequantise_portable;
}

}  // namespace

void panel_eigen(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  static const Dequantise dequantise = widest_dequantise();
  static const EigenMultiply multiply = eigen_products().plain;
  static_assert(panel_rows <= eigen_side_max && panel_columns <= eigen_depth_max);
  const std::int64_t columns = operands.groups * group_size;
  const std::int64_t first_block = operands.block_count * share.index / share.count;
  const std::int64_t end_block = operands.block_count * (share.index + 1) / share.count;
  float* panel = scratch.panels + share.thread * panel_rows * panel_columns;
  constexpr std::int64_t panel_blocks = panel_rows / block_rows;
  for (std::int64_t block = first_block; block < end_block; block += panel_blocks) {
    const std::int64_t last_block = block + panel_blocks < end_block ? block + panel_blocks : end_block;
    const std::int64_t last_row =
        last_block * block_rows < operands.out_features ? last_block * block_rows : operands.out_features;
    for (std::int64_t group = 0; group < operands.groups; group += panel_groups) {
      const std::int64_t groups =
          operands.groups - group < panel_groups ? operands.groups - group : panel_groups;
      for (std::int64_t b = block; b < last_block; ++b)
        dequantise(operands, b, group, groups, panel + (b - block) * block_rows, panel_rows);
      for (std::int64_t token = 0; token < operands.tokens; token += eigen_side_max) {
        const std::int64_t tokens =
            operands.tokens - token < eigen_side_max ? operands.tokens - token : eigen_side_max;
        multiply(operands.x + token * columns + group * group_size, columns, panel, panel_rows,
                 operands.y + token * operands.out_features + block * block_rows, operands.out_features,
                 tokens, groups * group_size, last_row - block * block_rows, group != 0);
      }
    }
  }
}

}  // namespace adaptive::kernels::mixed_bit_matmul
