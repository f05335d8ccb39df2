#include "kernels/ragged_paged_attention/cuda/tiles/launch.cuh"

namespace adaptive::kernels::ragged_paged_attention {

template cudaError_t prepare_tiles<false>(std::size_t, int) noexcept;
template cudaError_t launch_tiles<false>(std::size_t, const DeviceOperands&, RowRange, cudaStream_t) noexcept;

}  // namespace adaptive::kernels::ragged_paged_attention
