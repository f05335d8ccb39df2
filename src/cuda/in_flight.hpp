// The timed launches of one timer in one context whose latencies have not come yet.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "cuda/driver.hpp"
#include "cuda/event_pool.hpp"

namespace adaptive::inline v1::cuda {

/// Any thread adds launches, without a lock. One thread at a time takes them, in the order of launch within
/// each stream: the launches of a stream end in order, so only the oldest of each is queried. If there are
/// more than `lanes` streams, some share a lane, and a latency may have to wait for that of another stream.
class InFlight {
 public:
  static constexpr std::size_t lanes = 16;

  explicit InFlight(EventPool& pool) noexcept : pool_(pool) {}

  EventPool& pool() const noexcept { return pool_; }

  /// Counts one more launch if there are fewer than `most`. The launch is added later or given up.
  bool enter(std::uint32_t most) noexcept {
    if (count_.fetch_add(1, std::memory_order_relaxed) < most) return true;
    count_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void leave() noexcept { count_.fetch_sub(1, std::memory_order_relaxed); }
  std::uint32_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

  /// Adds a launch whose end event has been recorded.
  void add(EventPair& pair) noexcept {
    EventPair* head = incoming_.load(std::memory_order_relaxed);
    do pair.next = head;
    while (
        !incoming_.compare_exchange_weak(head, &pair, std::memory_order_release, std::memory_order_relaxed));
  }

  // Only one thread at a time may call the following members.

  /// Moves added launches to their lanes.
  void sort() noexcept {
    EventPair* added = incoming_.exchange(nullptr, std::memory_order_acquire);
    EventPair* oldest = nullptr;
    while (added != nullptr) {  // the latest is first
      EventPair* const next = added->next;
      added->next = oldest;
      oldest = added;
      added = next;
    }
    while (oldest != nullptr) {
      EventPair* const next = oldest->next;
      oldest->next = nullptr;
      Lane& lane = lanes_[lane_of(oldest->stream)];
      (lane.newest == nullptr ? lane.oldest : lane.newest->next) = oldest;
      lane.newest = oldest;
      oldest = next;
    }
  }
  EventPair* oldest(std::size_t lane) const noexcept { return lanes_[lane].oldest; }
  void take(std::size_t lane) noexcept {
    lanes_[lane].oldest = lanes_[lane].oldest->next;
    if (lanes_[lane].oldest == nullptr) lanes_[lane].newest = nullptr;
  }
  /// The lane to query first; another one at each call.
  std::size_t turn() noexcept { return turn_++ % lanes; }

 private:
  struct Lane {
    EventPair* oldest = nullptr;
    EventPair* newest = nullptr;
  };

  static std::size_t lane_of(CUstream stream) noexcept {
    return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(stream) * 0x9E3779B97F4A7C15u) >> 60);
  }

  EventPool& pool_;
  alignas(64) std::atomic<EventPair*> incoming_{nullptr};
  std::atomic<std::uint32_t> count_{0};
  alignas(64) std::array<Lane, lanes> lanes_{};
  std::size_t turn_ = 0;
};

static_assert(InFlight::lanes == 16, "lane_of takes four bits");

}  // namespace adaptive::cuda
