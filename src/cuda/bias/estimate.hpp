// Computes how much longer a pair of events reads than the kernel between them runs.
#pragma once

#include <span>

#include <adaptive/latency.hpp>

namespace adaptive::inline v1::cuda {

/// Two readings of the time of one kernel.
struct BiasSample {
  double pair_ns = 0;    ///< the difference of the two events
  double device_ns = 0;  ///< the kernel's own reading of the GPU's clock
};

/// The median of the differences, because some kernels may have waited for other work. Zero if there are no
/// samples or if the median is negative.
Latency bias_of(std::span<const BiasSample> samples);

/// A larger value is not a property of the device: the kernels must have waited for something else.
inline constexpr Latency bias_max{20'000};

/// Half the resolution of the event clock, the smallest latency that is reported.
inline constexpr Latency latency_min{250};

/// Subtracts the bias from a reading. The result is at least `latency_min`, since a latency must be positive.
Latency without_bias(double pair_ns, Latency bias) noexcept;

}  // namespace adaptive::cuda
