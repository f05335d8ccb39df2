#include <immintrin.h>

#include "kernels/common/static_for.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

#include "kernels/common/cpu/vector_avx512.inl"

#include "kernels/common/cpu/panel_multiply.inl"

#include "kernels/grouped_gemm/cpu/packed.inl"

#include "kernels/grouped_gemm/cpu/rows.inl"

#include "kernels/common/cpu/transpose_avx512.inl"

/// Packs up to 16 rows of W as stored into a block [depth][16] of float32; depth is a multiple of 16.
template <class Weight>
void pack_block(const Weight* w, std::int64_t stride, std::int64_t rows, std::int64_t depth, float* block) {
  for (std::int64_t k = 0; k < depth; k += 16) {
    __m512 v[16];
    static_for<16>([&]<int i>() ADAPTIVE_INLINE_LAMBDA {
      v[i] = i < rows ? Vector::load(w + i * stride + k) : Vector::zero();
    });
    transpose(v);
    static_for<16>([&]<int i>() ADAPTIVE_INLINE_LAMBDA { Vector::store(block + (k + i) * 16, v[i]); });
  }
}

template <int T, int R, class Weight>
void multiply_repacked(const Operands& operands, const Scratch& scratch, Share share) {
  float* panel = scratch.panels + share.thread * panel_columns * panel_depth;
  constexpr std::int64_t block_stride = panel_depth * block_columns;
  constexpr std::int64_t panel_blocks = panel_columns / block_columns;
  for (std::int64_t group = share.group_begin; group < share.group_end; ++group) {
    const auto* w = static_cast<const Weight*>(operands.w) +
                    operands.groups[group].expert * operands.n * operands.k_stride;
    for (std::int64_t block = share.block_begin; block < share.block_end; block += panel_blocks) {
      const std::int64_t end =
          block + panel_blocks < share.block_end ? block + panel_blocks : share.block_end;
      const std::int64_t last_column = end * block_columns < operands.n ? end * block_columns : operands.n;
      for (std::int64_t k = 0; k < operands.k_stride; k += panel_depth) {
        const std::int64_t depth = operands.k_stride - k < panel_depth ? operands.k_stride - k : panel_depth;
        for (std::int64_t b = block; b < end; ++b)
          pack_block(w + b * block_columns * operands.k_stride + k, operands.k_stride,
                     operands.n - b * block_columns, depth, panel + (b - block) * block_stride);
        multiply_tiles<T, R>(operands, scratch, group, static_cast<const float*>(panel), block_stride,
                             block * block_columns, last_column, k, depth);
      }
    }
  }
}

}  // namespace

void rows1_avx512(const Operands& operands, const Scratch&, Share share) noexcept {
  multiply_groups<1, 8>(operands, share);
}

void rows4_avx512(const Operands& operands, const Scratch&, Share share) noexcept {
  multiply_groups<4, 4>(operands, share);
}

void packed1_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_packed<1, 8>(operands, scratch, share);
}

void packed4_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_packed<4, 4>(operands, scratch, share);
}

void packed8_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_packed<8, 2>(operands, scratch, share);
}

void packed12_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_packed<12, 2>(operands, scratch, share);
}

void repack12_avx512(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  if (operands.type == Type::float32)
    multiply_repacked<12, 2, float>(operands, scratch, share);
  else
    multiply_repacked<12, 2, std::uint16_t>(operands, scratch, share);
}

}  // namespace adaptive::kernels::grouped_gemm
