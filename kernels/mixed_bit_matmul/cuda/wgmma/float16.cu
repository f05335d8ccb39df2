#include "kernels/mixed_bit_matmul/cuda/wgmma/launch.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

template cudaError_t prepare_wgmma<cuda::Element::float16>(std::size_t) noexcept;
template cudaError_t launch_wgmma<cuda::Element::float16>(std::size_t, const CUtensorMap&,
                                                          const DeviceOperands&, cudaStream_t) noexcept;

}  // namespace adaptive::kernels::mixed_bit_matmul
