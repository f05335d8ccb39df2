// Measures, once for each context, how much longer a pair of events reads than the kernel between them runs.
#pragma once

#include <atomic>

#include <adaptive/latency.hpp>
#include "cuda/bias/measurement.hpp"
#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {

/// Latencies that arrive before the measurement has ended are held back until then. Thread-safe.
class BiasMeter final : public Measurement {
 public:
  BiasMeter(const Driver& driver, CUcontext context) noexcept : Measurement(driver, context) {}

  /// Zero until the measurement has ended, and if it failed.
  Latency value() const noexcept { return Latency{ns_.load(std::memory_order_relaxed)}; }

 private:
  void measure(const Driver& driver) override;

  std::atomic<double> ns_{0};
};

}  // namespace adaptive::cuda
