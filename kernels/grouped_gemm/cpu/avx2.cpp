#include <immintrin.h>

#include "kernels/common/static_for.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

#include "kernels/common/cpu/vector_avx2.inl"

#include "kernels/common/cpu/panel_multiply.inl"

#include "kernels/grouped_gemm/cpu/packed.inl"

#include "kernels/grouped_gemm/cpu/rows.inl"

}  // namespace

void rows1_avx2(const Operands& operands, const Scratch&, Share share) noexcept {
  multiply_groups<1, 8>(operands, share);
}

void packed1_avx2(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_packed<1, 8>(operands, scratch, share);
}

void packed6_avx2(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_packed<6, 2>(operands, scratch, share);
}

}  // namespace adaptive::kernels::grouped_gemm
