#include "kernels/quantized_matmul/cuda/few/launch.cuh"

namespace adaptive::kernels::quantized_matmul {

template cudaError_t launch_few<Types::int8_w8a16>(std::size_t, const DeviceOperands&, cudaStream_t) noexcept;

}  // namespace adaptive::kernels::quantized_matmul
