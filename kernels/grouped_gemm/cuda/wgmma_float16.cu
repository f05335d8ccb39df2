#include "kernels/grouped_gemm/cuda/wgmma_launch.cuh"

namespace adaptive::kernels::grouped_gemm {

template cudaError_t launch_wgmma<cuda::Element::float16>(std::size_t, const TensorMaps&,
                                                          const DeviceOperands&, int, cudaStream_t) noexcept;
template cudaError_t prepare_wgmma<cuda::Element::float16>(std::size_t) noexcept;

}  // namespace adaptive::kernels::grouped_gemm
