#include "kernels/mixed_bit_matmul/cuda/decode/launch.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template cudaError_t prepare_decode<cuda::Element::bfloat16>(std::size_t) noexcept;
template cudaError_t launch_decode<cuda::Element::bfloat16>(std::size_t, const DeviceOperands&,
                                                            cudaStream_t) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
