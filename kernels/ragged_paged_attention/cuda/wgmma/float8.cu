#include "kernels/ragged_paged_attention/cuda/wgmma/launch.cuh"

namespace adaptive::kernels::ragged_paged_attention {

template cudaError_t prepare_wgmma<true>(std::size_t, int) noexcept;
template cudaError_t launch_wgmma<true>(std::size_t, const CacheMaps&, const DeviceOperands&, RowRange, int*,
                                        int, cudaStream_t) noexcept;

}  // namespace adaptive::kernels::ragged_paged_attention
