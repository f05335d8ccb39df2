#include "kernels/fused_moe/cuda/gated.cuh"
#include "kernels/fused_moe/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/mma_launch.cuh"

namespace adaptive::kernels::fused_moe {

cudaError_t prepare_gated_mma(std::size_t index) noexcept {
  return grouped_gemm::prepare_mma_with<__nv_bfloat16, Gated>(index);
}

cudaError_t launch_gated_mma(std::size_t index, const grouped_gemm::DeviceOperands& operands,
                             Activation activation, int blocks, cudaStream_t stream) noexcept {
  return grouped_gemm::launch_mma_with<__nv_bfloat16>(index, operands, Gated{operands.overlaps, activation},
                                                      blocks, stream);
}

}  // namespace adaptive::kernels::fused_moe
