// Pairs of events of one context, shared by all timers of the process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <adaptive/decision.hpp>
#include <adaptive/operation.hpp>
#include "cuda/bias_meter.hpp"
#include "cuda/driver.hpp"
#include "cuda/free_list.hpp"

namespace adaptive::inline v1::cuda {

class InFlight;

/// A timed launch: its events, and whom its latency is for.
struct EventPair {
  CUevent start = nullptr;
  CUevent end = nullptr;
  Operation* operation = nullptr;
  Decision decision;
  CUstream stream = nullptr;
  InFlight* flight = nullptr;
  bool idle = false;   ///< the stream was idle: the reading has the launch in it
  int exceptions = 0;  ///< in flight when the launch began
  EventPair* next = nullptr;
  std::uint32_t number = 0;
};

/// Grows to what is in flight at once and stays so. Never destroyed: what CUDA does with an event after
/// `main` is undefined, and a pair may still be in a stream. A pair that is given back while in flight is
/// recorded anew by its next user, which CUDA allows.
class EventPool {
 public:
  static constexpr std::uint32_t capacity = 16'384;
  static constexpr std::size_t pools_max = 64;

  /// The pool of a context, made at its first use; null where there are more than `pools_max`. A context is
  /// known by its id: after a device reset another one may have the old one's address.
  static EventPool* of(const Driver& driver, CUcontext context) noexcept;

  /// Null where the capacity is used up, or the driver refuses an event. Capture mode must be relaxed.
  EventPair* acquire() noexcept;
  void release(EventPair& pair) noexcept { free_.push(pair.number); }

  std::size_t index() const noexcept { return index_; }
  CUcontext context() const noexcept { return context_; }
  BiasMeter& bias() noexcept { return bias_; }
  /// Nothing works in this context any more.
  bool lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
  /// False where that was known.
  bool lose() noexcept { return !lost_.exchange(true, std::memory_order_relaxed); }
  /// How many pairs there are, free or not.
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
  timing::FreeList free_{capacity};
  std::atomic<std::uint32_t> grown_{0};
  std::array<std::atomic<EventPair*>, capacity / chunk> chunks_{};
  std::atomic<bool> lost_{false};
  BiasMeter bias_;
};

}  // namespace adaptive::cuda
