#include "kernels/mixed_bit_matmul/cuda/balanced/launch.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template cudaError_t prepare_balanced<cuda::Element::bfloat16>(std::size_t) noexcept;
template cudaError_t launch_balanced<cuda::Element::bfloat16>(std::size_t, const CUtensorMap&,
                                                              const DeviceOperands&, const BalancedScratch&,
                                                              cudaStream_t) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
