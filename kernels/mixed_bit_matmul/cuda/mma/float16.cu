#include "kernels/mixed_bit_matmul/cuda/mma/launch.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template cudaError_t prepare_mma<cuda::Element::float16>(std::size_t) noexcept;
template cudaError_t launch_mma<cuda::Element::float16>(std::size_t, const DeviceOperands&,
                                                        cudaStream_t) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
