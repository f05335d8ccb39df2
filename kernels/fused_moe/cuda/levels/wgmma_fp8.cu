#include "kernels/common/cuda/launch.cuh"
#include "kernels/fused_moe/cuda/levels/wgmma_kernel.cuh"

namespace adaptive::kernels::fused_moe::levels {
namespace {

using WgmmaKernel = void (*)(CUtensorMap, CUtensorMap, ProductOperands, ResultOperands);

template <std::size_t index, Result result>
constexpr WgmmaKernel wgmma_kernel() {
  constexpr WgmmaConfig c = wgmma_configs[index];
  return multiply_wgmma<c.rows, c.columns, c.stages, result>;
}

/// The kernel of a configuration; `result` says which, except for gate and up.
WgmmaKernel wgmma_kernel_of(std::size_t index, Result result) {
  const bool added = result == Result::added;
  switch (index) {
    case 0:
      return wgmma_kernel<0, Result::gated>();
    case 1:
      return wgmma_kernel<1, Result::gated>();
    case 2:
      return added ? wgmma_kernel<2, Result::added>() : wgmma_kernel<2, Result::all>();
    case 3:
      return added ? wgmma_kernel<3, Result::added>() : wgmma_kernel<3, Result::all>();
    default:
      return added ? wgmma_kernel<4, Result::added>() : wgmma_kernel<4, Result::all>();
  }
}

}  // namespace

cudaError_t prepare_wgmma(std::size_t index, Result result) noexcept {
  return cuda::allow_shared_bytes(wgmma_kernel_of(index, result), wgmma_shared_bytes(wgmma_configs[index]));
}

cudaError_t launch_wgmma(std::size_t index, Result result, const TensorMaps& maps,
                         const ProductOperands& operands, const ResultOperands& of_result, int blocks,
                         cudaStream_t stream) noexcept {
  const WgmmaConfig& config = wgmma_configs[index];
  return cuda::launch(wgmma_kernel_of(index, result),
                      {.blocks = blocks,
                       .threads = 2 * config.rows + 128,
                       .shared_bytes = wgmma_shared_bytes(config),
                       .overlaps = of_result.overlaps},
                      stream, maps.x, maps.w, operands, of_result);
}

}  // namespace adaptive::kernels::fused_moe::levels
