// What a pair of events reads above the kernel between them.
#pragma once

#include <span>

#include <adaptive/latency.hpp>

namespace adaptive::inline v1::timing {

/// One kernel that measured itself.
struct BiasSample {
  double pair_ns = 0;    ///< what the pair of events read
  double device_ns = 0;  ///< what the kernel read from its own clock
};

/// The median of the differences: some kernels may have had to wait for other work. Zero where there is none,
/// or where it would be negative.
Latency bias_of(std::span<const BiasSample> samples);

/// Beyond this a bias is no property of the device: the kernels had to wait for something else.
inline constexpr Latency bias_max{20'000};

/// Half a step of the clock of events: what a reading never falls below.
inline constexpr Latency latency_min{250};

/// A reading without the bias. Never zero or negative, which would be no latency at all.
Latency without_bias(double pair_ns, Latency bias) noexcept;

}  // namespace adaptive::timing
