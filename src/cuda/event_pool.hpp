// Pairs of events of one context, shared by all timers of the process.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <adaptive/decision.hpp>
#include <adaptive/operation.hpp>
#include "cuda/bias/meter.hpp"
#include "cuda/driver.hpp"
#include "cuda/free_list.hpp"

namespace adaptive::inline v1::cuda {

class InFlight;

/// A timed launch: its events and the receiver of its latency.
struct EventPair {
  CUevent start = nullptr;
  CUevent end = nullptr;
  Operation* operation = nullptr;
  Decision decision;
  CUstream stream = nullptr;
  InFlight* flight = nullptr;
  bool idle = false;         ///< the stream was idle, so the reading includes the launch itself
  bool is_observed = false;  ///< the stream was busy when the launch began, and the launch was not held back
  int exceptions = 0;        ///< number of exceptions in flight when the launch began
  std::chrono::steady_clock::time_point begun{};  ///< on the host; set where launches are held back
  EventPair* next = nullptr;
  std::uint32_t number = 0;
};

/// Grows to the largest number of pairs that were in flight at the same time. Never destroyed: CUDA calls
/// after `main` are undefined, and a pair may still be in a stream. If a pair is given back while in flight,
/// its next user records it again, which CUDA allows.
class EventPool {
 public:
  static constexpr std::uint32_t capacity = 16'384;
  static constexpr std::size_t pools_max = 64;

  /// Returns the pool of a context and creates it at first use; null if there are `pools_max` already. A
  /// context is identified by its id, because after a device reset another context may have the same address.
  static EventPool* of(const Driver& driver, CUcontext context) noexcept;

  /// Null if all pairs are in use, or if the driver fails to create an event. The capture mode must be
  /// relaxed.
  EventPair* acquire() noexcept;
  void release(EventPair& pair) noexcept { free_.push(pair.number); }

  std::size_t index() const noexcept { return index_; }
  CUcontext context() const noexcept { return context_; }
  BiasMeter& bias() noexcept { return bias_; }
  /// Whether the context is lost, so that nothing works in it any more.
  bool lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
  /// Marks the context as lost. Returns false if it was marked already.
  bool lose() noexcept { return !lost_.exchange(true, std::memory_order_relaxed); }
  /// Number of pairs, free or in use.
  std::uint32_t size() const noexcept { return grown_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t chunk = 64;

  EventPool(const Driver& driver, CUcontext context, unsigned long long id, std::size_t index);
  EventPair* grow() noexcept;
  EventPair* at(std::uint32_t number) noexcept;
  bool has_events(EventPair& pair) noexcept;

  const Driver& driver_;
  CUcontext context_;
  unsigned long long id_;
  std::size_t index_;
  FreeList free_{capacity};
  std::atomic<std::uint32_t> grown_{0};
  std::array<std::atomic<EventPair*>, capacity / chunk> chunks_{};
  std::atomic<bool> lost_{false};
  BiasMeter bias_;
};

}  // namespace adaptive::cuda
