// Measures once a context what a pair of events reads above the kernel between them.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include <adaptive/latency.hpp>
#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {

/// The measurement has to wait, allocate and load a kernel, none of which the launching thread may be made to
/// do, and it needs the runtime, whose last error belongs to whoever calls. So it runs in a thread of its
/// own, which ends with it, about a millisecond after the kernel is loaded. Latencies that arrive meanwhile
/// wait for it.
class BiasMeter {
 public:
  BiasMeter(const Driver& driver, CUcontext context) noexcept : driver_(driver), context_(context) {}

  /// Begins, where nobody has.
  void start() noexcept;
  /// Waits for the end of what was started.
  void wait() noexcept;
  bool done() const noexcept { return state_.load(std::memory_order_acquire) == State::done; }
  /// Zero until it is done, and where it could not be measured.
  Latency value() const noexcept { return Latency{ns_.load(std::memory_order_relaxed)}; }

 private:
  enum class State { none, running, done };

  void measure() noexcept;

  const Driver& driver_;
  CUcontext context_;
  std::atomic<State> state_{State::none};
  std::atomic<double> ns_{0};
  std::mutex mutex_;  // of the thread
  std::thread thread_;
};

}  // namespace adaptive::cuda
