#pragma once

#include <adaptive/detail/export.hpp>
#include <adaptive/device.hpp>

namespace adaptive::inline v1::cuda {

/// The GPU of that ordinal, as tables name it: device name, driver, toolkit, and in `libraries`
/// {"compute_capability", "9.0"}, {"multiprocessors", "132"}, {"memory_mib", "143771"} and the runtime's
/// version. Negative: the current device. Does not create a context on the device. Throws `Error` where there
/// is no such device or no driver. Thread-safe.
ADAPTIVE_EXPORT Fingerprint device(int ordinal = -1);

/// The number of GPUs; 0 where there is no driver. Never throws, leaves the caller's CUDA error alone.
ADAPTIVE_EXPORT int device_count() noexcept;

}  // namespace adaptive::cuda
