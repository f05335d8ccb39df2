// A lock for the few dozen nanoseconds of one key's bookkeeping.
#pragma once

#include <atomic>
#include <thread>

namespace adaptive::inline v1::core {

/// While a thread holds the lock of a key it runs no code of the program but the key's policy, which must be
/// quick: neither the log callback, nor the policy factory, nor `supports`, `candidates` or `cost`. So the
/// lock is free again after a bounded time unless its holder is descheduled. A thread that cannot afford to
/// wait even for that uses `try_lock`, or `lock_for`, which gives up.
class SpinLock {
 public:
  bool try_lock() noexcept {
    return !taken_.load(std::memory_order_relaxed) && !taken_.exchange(true, std::memory_order_acquire);
  }

  bool lock_for(int attempts) noexcept {
    for (int i = 0; i < attempts; ++i) {
      if (try_lock()) return true;
      // A holder that was descheduled needs the processor more than we do.
      if (i % 64 == 63) std::this_thread::yield();
    }
    return false;
  }

  void lock() noexcept {
    while (!lock_for(1024)) {
    }
  }

  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_{false};
};

}  // namespace adaptive::core
