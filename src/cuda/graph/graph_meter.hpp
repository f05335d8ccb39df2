// Measures, once for each context, what timing a launch costs within a graph, and how much longer than the
// kernel itself the reading is there.
#pragma once

#include <atomic>

#include <adaptive/latency.hpp>
#include "cuda/bias/measurement.hpp"
#include "cuda/driver.hpp"
#include "cuda/event_pool.hpp"
#include "cuda/graph/stamps.hpp"

namespace adaptive::inline v1::cuda {

/// As `BiasMeter`, for kernels of a graph that note the time, or for events that are nodes of a graph if the
/// GPU's clock is too coarse. Thread-safe.
class GraphMeter final : public Measurement {
 public:
  /// The meter of the pool's context. It is never destroyed, like the pool. Throws `std::bad_alloc`.
  static GraphMeter& of(const Driver& driver, const EventPool& pool);

  /// Whether the measurement has ended with a result.
  bool measured() const noexcept { return done() && measured_.load(std::memory_order_relaxed); }
  /// Where kernels note the time; null if events are used, and until the measurement has ended.
  GraphStamps* stamps() const noexcept { return stamps_.load(std::memory_order_acquire); }
  /// What is to be subtracted from a pair's reading.
  Latency bias() const noexcept { return Latency{bias_ns_.load(std::memory_order_relaxed)}; }
  /// By how much a pair makes a replay longer.
  Latency cost() const noexcept { return Latency{cost_ns_.load(std::memory_order_relaxed)}; }

 private:
  GraphMeter(const Driver& driver, CUcontext context) noexcept : Measurement(driver, context) {}
  void measure(const Driver& driver) override;

  std::atomic<bool> measured_{false};
  std::atomic<GraphStamps*> stamps_{nullptr};
  std::atomic<double> bias_ns_{0};
  std::atomic<double> cost_ns_{0};
};

}  // namespace adaptive::cuda
