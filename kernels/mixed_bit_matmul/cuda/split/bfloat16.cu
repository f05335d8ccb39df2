#include "kernels/mixed_bit_matmul/cuda/split/launch.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template cudaError_t prepare_split<cuda::Element::bfloat16>(int) noexcept;
template cudaError_t launch_split<cuda::Element::bfloat16>(const SplitConfig&, const CUtensorMap&,
                                                           const DeviceOperands&, const SplitScratch&,
                                                           cudaStream_t) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
