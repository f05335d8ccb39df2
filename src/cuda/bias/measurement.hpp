// Something that is measured once for each context, by a thread of its own.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {

/// The measurement waits, allocates and loads a kernel, which the launching thread must not be made to do. It
/// also needs the runtime, whose last error belongs to the calling thread. Therefore it runs in a thread of
/// its own, which ends about a millisecond after the kernel is loaded. Thread-safe.
class Measurement {
 public:
  Measurement(const Measurement&) = delete;
  Measurement& operator=(const Measurement&) = delete;

  /// Starts the measurement unless it has been started already.
  void start() noexcept;
  /// Waits for the end of a measurement that has been started.
  void wait() noexcept;
  bool done() const noexcept { return state_.load(std::memory_order_acquire) == State::done; }

 protected:
  Measurement(const Driver& driver, CUcontext context) noexcept : driver_(driver), context_(context) {}
  ~Measurement() = default;

 private:
  enum class State { none, running, done };

  /// Measures and stores the results, with the context current. May throw `std::bad_alloc`.
  virtual void measure(const Driver& driver) = 0;
  void run() noexcept;

  const Driver& driver_;
  CUcontext context_;
  std::atomic<State> state_{State::none};
  std::mutex mutex_;  // guards `thread_`
  std::thread thread_;
};

}  // namespace adaptive::cuda
