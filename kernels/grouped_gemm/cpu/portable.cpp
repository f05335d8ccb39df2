#include "kernels/common/static_for.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

#include "kernels/common/cpu/vector_portable.inl"

#include "kernels/common/cpu/panel_multiply.inl"

#include "kernels/grouped_gemm/cpu/packed.inl"

}  // namespace

void packed2_portable(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_packed<2, 4>(operands, scratch, share);
}

}  // namespace adaptive::kernels::grouped_gemm
