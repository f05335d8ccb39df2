// Kernels that read the GPU's own clock: one takes a given time, one only notes the time.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace adaptive::inline v1::cuda {

/// Enqueues one thread that runs for `ns` nanoseconds and then writes the time that it ran to `*ran_ns`,
/// which must be null or memory that the device can write. Returns the runtime's status.
cudaError_t launch_spin(std::uint64_t ns, std::uint64_t* ran_ns, cudaStream_t stream);
/// Enqueues one thread that writes the GPU's clock, in nanoseconds, to `*at`, which is memory of the device.
cudaError_t launch_stamp(std::uint64_t* at, cudaStream_t stream);
/// The kernel itself, which takes (std::uint64_t* at).
const void* stamp_kernel() noexcept;

/// Enqueues one thread that writes the smallest step of the GPU's clock, in nanoseconds, to `*step_ns`, which
/// is memory of the device. It takes 16 steps.
cudaError_t launch_clock_step(std::uint64_t* step_ns, cudaStream_t stream);

/// The kernel itself, for `cudaLaunchKernel` with (std::uint64_t ns, std::uint64_t* ran_ns).
const void* spin_kernel() noexcept;

}  // namespace adaptive::cuda
