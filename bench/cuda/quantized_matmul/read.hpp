#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace adaptive::bench {

/// Enqueues a kernel that only reads `bytes` bytes, a multiple of 16, in 16-byte loads. It writes to `to` if
/// the bits of a thread happen to have a certain sum, which keeps the compiler from leaving out the loads.
/// `overlaps`: the launch begins while the kernel before it still runs, as those of the product may, on
/// devices of compute capability 9.0 or higher.
cudaError_t launch_read(const void* from, std::size_t bytes, unsigned* to, bool overlaps,
                        cudaStream_t stream) noexcept;

}  // namespace adaptive::bench
