#include "cuda/bias/measurement.hpp"

#include "base/background_thread.hpp"

namespace adaptive::inline v1::cuda {

void Measurement::run() noexcept {
  try {
    const CurrentContext current(driver_, context_);
    const RelaxedCapture relaxed(driver_);
    if (current) measure(driver_);
  } catch (...) {
    // Out of memory: the results keep their first values.
  }
  state_.store(State::done, std::memory_order_release);
}

void Measurement::start() noexcept {
  if (state_.load(std::memory_order_relaxed) != State::none) return;
  try {
    const std::lock_guard lock(mutex_);
    State expected = State::none;
    if (!state_.compare_exchange_strong(expected, State::running)) return;
    thread_ = core::background_thread([this] { run(); });
  } catch (...) {
    state_.store(State::done, std::memory_order_release);
  }
}

void Measurement::wait() noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) thread_.join();
  } catch (...) {
    // There is nothing to wait for.
  }
}

}  // namespace adaptive::cuda
