#include "kernels/quantized_matmul/cuda/wgmma/launch.cuh"

namespace adaptive::kernels::quantized_matmul {

template cudaError_t launch_wgmma<Types::int8_w8a8>(std::size_t, const TensorMaps&, const DeviceOperands&,
                                                    int, cudaStream_t) noexcept;
template cudaError_t prepare_wgmma<Types::int8_w8a8>(std::size_t, Scales) noexcept;

}  // namespace adaptive::kernels::quantized_matmul
