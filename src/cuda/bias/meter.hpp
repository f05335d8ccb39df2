// Measures, once for each context, how much longer a pair of events reads than the kernel between them runs.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include <adaptive/latency.hpp>
#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {

/// The measurement waits, allocates and loads a kernel, which the launching thread must not be made to do. It
/// also needs the runtime, whose last error belongs to the calling thread. Therefore it runs in a thread of
/// its own, which ends about a millisecond after the kernel is loaded. Latencies that arrive earlier are held
/// back until it ends. Thread-safe.
class BiasMeter {
 public:
  BiasMeter(const Driver& driver, CUcontext context) noexcept : driver_(driver), context_(context) {}

  /// Starts the measurement unless it has been started already.
  void start() noexcept;
  /// Waits for the end of a measurement that has been started.
  void wait() noexcept;
  bool done() const noexcept { return state_.load(std::memory_order_acquire) == State::done; }
  /// Zero until the measurement has ended, and if it failed.
  Latency value() const noexcept { return Latency{ns_.load(std::memory_order_relaxed)}; }

 private:
  enum class State { none, running, done };

  void measure() noexcept;

  const Driver& driver_;
  CUcontext context_;
  std::atomic<State> state_{State::none};
  std::atomic<double> ns_{0};
  std::mutex mutex_;  // guards `thread_`
  std::thread thread_;
};

}  // namespace adaptive::cuda
