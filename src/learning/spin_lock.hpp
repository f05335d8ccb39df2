// A lock that is held for a few dozen nanoseconds, for the bookkeeping of one key.
#pragma once

#include <atomic>
#include <thread>

namespace adaptive::inline v1::core {

/// A thread that holds the lock of a key runs no code of the program except the key's policy, which must be
/// quick: not the log callback, the policy factory, `supports`, `candidates` or `cost`. The lock is therefore
/// free again after a bounded time, unless its holder is descheduled. A thread that cannot wait even that
/// long uses `try_lock` or `lock_for`.
class SpinLock {
 public:
  bool try_lock() noexcept {
    return !taken_.load(std::memory_order_relaxed) && !taken_.exchange(true, std::memory_order_acquire);
  }

  /// Tries to take the lock `attempts` times, then returns false.
  bool lock_for(int attempts) noexcept {
    for (int i = 0; i < attempts; ++i) {
      if (try_lock()) return true;
      // The holder may have been descheduled: let it run.
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
