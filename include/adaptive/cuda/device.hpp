#pragma once

#include <adaptive/detail/export.hpp>
#include <adaptive/device.hpp>

namespace adaptive::inline v1::cuda {

/// Describes the GPU of that ordinal as tables do: device name, driver, toolkit, and in `libraries`
/// {"compute_capability", "9.0"}, {"multiprocessors", "132"}, {"memory_mib", "143771"} and the version of the
/// runtime. A negative ordinal means the current device. Creates no context on the device. Throws `Error` if
/// there is no such device or no driver. Thread-safe.
ADAPTIVE_EXPORT Fingerprint device(int ordinal = -1);

/// The number of GPUs; 0 if there is no driver. Leaves the caller's CUDA error as it was. Thread-safe.
ADAPTIVE_EXPORT int device_count() noexcept;

}  // namespace adaptive::cuda
