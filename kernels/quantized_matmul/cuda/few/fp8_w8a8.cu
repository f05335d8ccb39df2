#include "kernels/quantized_matmul/cuda/few/launch.cuh"

namespace adaptive::kernels::quantized_matmul {

template cudaError_t launch_few<Types::fp8_w8a8>(std::size_t, const DeviceOperands&, cudaStream_t) noexcept;

}  // namespace adaptive::kernels::quantized_matmul
