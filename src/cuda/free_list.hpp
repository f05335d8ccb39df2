// Hands out numbers and takes them back without a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace adaptive::inline v1::cuda {

/// A stack of numbers below a capacity (Treiber). The head includes a count of its changes (ABA): without the
/// count, a thread that was interrupted between its load and its exchange could find the same number on top
/// of a different list.
class FreeList {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  explicit FreeList(std::uint32_t capacity) : next_(new std::atomic<std::uint32_t>[capacity]) {}

  void push(std::uint32_t number) noexcept {
    std::uint64_t head = head_.load(std::memory_order_relaxed);
    do next_[number].store(low(head), std::memory_order_relaxed);
    while (!head_.compare_exchange_weak(head, after(head, number), std::memory_order_release,
                                        std::memory_order_relaxed));
  }

  /// Returns `none` if the list is empty.
  std::uint32_t pop() noexcept {
    std::uint64_t head = head_.load(std::memory_order_acquire);
    while (low(head) != none) {
      const std::uint32_t next = next_[low(head)].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, after(head, next), std::memory_order_acquire,
                                      std::memory_order_acquire))
        return low(head);
    }
    return none;
  }

 private:
  static std::uint32_t low(std::uint64_t head) noexcept { return static_cast<std::uint32_t>(head); }
  static std::uint64_t after(std::uint64_t head, std::uint32_t number) noexcept {
    return ((head >> 32) + 1) << 32 | number;
  }

  std::unique_ptr<std::atomic<std::uint32_t>[]> next_;
  std::atomic<std::uint64_t> head_{none};
};

}  // namespace adaptive::cuda
