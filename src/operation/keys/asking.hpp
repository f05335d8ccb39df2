// The lock that a thread holds while it calls the functions of the program.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

namespace adaptive::inline v1::core {

/// A mutex that can tell whether the calling thread is its holder. If a function of the program calls the
/// operation again, the call is recognised instead of waiting for itself.
class Asking {
 public:
  void lock() {
    mutex_.lock();
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  /// Must not be called if `is_mine()`.
  bool try_lock() {
    if (!mutex_.try_lock()) return false;
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    return true;
  }
  void unlock() {
    holder_.store(std::thread::id(), std::memory_order_relaxed);
    mutex_.unlock();
  }

  /// Whether the calling thread holds the mutex. A relaxed load is sufficient: no other thread ever stores
  /// the id of this thread.
  bool is_mine() const noexcept {
    return holder_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

 private:
  std::mutex mutex_;
  std::atomic<std::thread::id> holder_{};
};

}  // namespace adaptive::core
