#include "kernels/grouped_gemm/cuda/mma_launch.cuh"

namespace adaptive::kernels::grouped_gemm {

template cudaError_t launch_mma<cuda::Element::bfloat16>(std::size_t, const DeviceOperands&, int,
                                                         cudaStream_t) noexcept;
template cudaError_t prepare_mma<cuda::Element::bfloat16>(std::size_t) noexcept;

}  // namespace adaptive::kernels::grouped_gemm
