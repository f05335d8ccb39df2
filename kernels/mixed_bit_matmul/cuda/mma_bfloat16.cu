#include "kernels/mixed_bit_matmul/cuda/mma.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template cudaError_t launch_mma<cuda::Element::bfloat16>(std::size_t, const DeviceOperands&,
                                                         cudaStream_t) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
