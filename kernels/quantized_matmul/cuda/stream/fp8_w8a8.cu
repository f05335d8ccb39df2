#include "kernels/quantized_matmul/cuda/stream/launch.cuh"

namespace adaptive::kernels::quantized_matmul {

template cudaError_t launch_stream<Types::fp8_w8a8>(std::size_t, const TensorMaps&, const DeviceOperands&,
                                                    cudaStream_t) noexcept;
template cudaError_t prepare_stream<Types::fp8_w8a8>(std::size_t, Scales) noexcept;

}  // namespace adaptive::kernels::quantized_matmul
