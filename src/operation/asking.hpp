// Who may call into the program about an operation.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>

namespace adaptive::inline v1::core {

/// A mutex whose holder can be told from other threads, so that a function of the program that calls the
/// operation again is recognised instead of waiting for itself.
class Asking {
 public:
  void lock() {
    mutex_.lock();
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  /// Must not be called where `is_mine()`.
  bool try_lock() {
    if (!mutex_.try_lock()) return false;
    holder_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    return true;
  }
  void unlock() {
    holder_.store(std::thread::id(), std::memory_order_relaxed);
    mutex_.unlock();
  }

  /// Whether the calling thread holds it. Relaxed is enough: no other thread ever stores this thread's id.
  bool is_mine() const noexcept {
    return holder_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

 private:
  std::mutex mutex_;
  std::atomic<std::thread::id> holder_{};
};

}  // namespace adaptive::core
