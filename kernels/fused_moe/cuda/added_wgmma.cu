#include "kernels/fused_moe/cuda/added.cuh"
#include "kernels/fused_moe/cuda/kernels.hpp"
#include "kernels/grouped_gemm/cuda/wgmma_launch.cuh"

namespace adaptive::kernels::fused_moe {

cudaError_t prepare_added_wgmma(std::size_t index) noexcept {
  return grouped_gemm::prepare_wgmma_with<__nv_bfloat16, Added>(index);
}

cudaError_t launch_added_wgmma(std::size_t index, const grouped_gemm::TensorMaps& maps,
                               const grouped_gemm::DeviceOperands& operands, const Alignment& alignment,
                               int blocks, cudaStream_t stream) noexcept {
  return grouped_gemm::launch_wgmma_with<__nv_bfloat16>(
      index, maps, operands, Added{operands.overlaps, alignment.token_of, alignment.weight_of}, blocks,
      stream);
}

}  // namespace adaptive::kernels::fused_moe
