#include "kernels/ragged_paged_attention/cuda/rows/launch.cuh"

namespace adaptive::kernels::ragged_paged_attention {

template cudaError_t prepare_rows<false>(std::size_t, int) noexcept;
template cudaError_t launch_rows<false>(std::size_t, const DeviceOperands&, RowRange, const Parts&, bool,
                                        bool, cudaStream_t) noexcept;

}  // namespace adaptive::kernels::ragged_paged_attention
