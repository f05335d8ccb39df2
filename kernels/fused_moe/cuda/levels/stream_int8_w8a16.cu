#include "kernels/fused_moe/cuda/levels/stream_launch.cuh"

namespace adaptive::kernels::fused_moe::levels {

template <>
cudaError_t prepare_stream<DeviceType::int8_w8a16>(std::size_t index, Result result) noexcept {
  return prepare_stream_of<Int8Weights>(index, result);
}

template <>
cudaError_t launch_stream<DeviceType::int8_w8a16>(std::size_t index, Result result,
                                                  const ProductOperands& operands,
                                                  const ResultOperands& of_result, int blocks,
                                                  cudaStream_t stream) noexcept {
  return launch_stream_of<Int8Weights>(index, result, operands, of_result, blocks, stream);
}

}  // namespace adaptive::kernels::fused_moe::levels
