// How much of a device works side by side.
#pragma once

#include <adaptive/device.hpp>

namespace adaptive::inline v1::core {

/// The number of multiprocessors of a GPU, or of the threads that this machine runs at once if the
/// fingerprint is of a processor; the number of most data centre GPUs if the fingerprint does not tell.
double processors_of(const Fingerprint& device) noexcept;

}  // namespace adaptive::core
