// A kernel that takes a given time, by the GPU's own clock.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace adaptive::inline v1::cuda {

/// Enqueues one thread that runs for `ns` nanoseconds and then writes the time that it ran to `*ran_ns`,
/// which must be null or memory that the device can write. Returns the runtime's status.
cudaError_t launch_spin(std::uint64_t ns, std::uint64_t* ran_ns, cudaStream_t stream);
/// The kernel itself, for `cudaLaunchKernel` with (std::uint64_t ns, std::uint64_t* ran_ns).
const void* spin_kernel() noexcept;

}  // namespace adaptive::cuda
