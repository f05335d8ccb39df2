#include "cuda/idle_hold.hpp"

#include <algorithm>

namespace adaptive::inline v1::cuda {

namespace {

// Addresses are some hundred bytes apart, so their low bits carry little information.
std::size_t spread(const void* of) noexcept {
  return static_cast<std::size_t>((reinterpret_cast<std::uintptr_t>(of) * 0x9E3779B97F4A7C15u) >> 40);
}

}  // namespace

std::uint64_t IdleHold::wanted(const void* operation, std::uint64_t most_ns) const noexcept {
  const std::uint64_t held = held_ns_[spread(operation) % places].load(std::memory_order_relaxed);
  return held <= most_ns ? held : 0;
}

void IdleHold::note(const void* operation, std::uint64_t host_ns) noexcept {
  std::atomic<std::uint64_t>& place = held_ns_[spread(operation) % places];
  const auto needed = static_cast<std::uint64_t>(static_cast<double>(host_ns) * margin + margin_ns);
  std::uint64_t held = place.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    if (held == 0)
      next = needed;
    else if (needed > held)
      next = std::min(needed, 2 * held);
    else if (held > 4 * needed)
      next = held / 2;
    else
      next = held - (held - needed) / 16;
  } while (!place.compare_exchange_weak(held, next, std::memory_order_relaxed));
}

bool IdleHold::runs_dry(const void* key) noexcept {
  std::atomic<std::uint8_t>& left = left_[spread(key) % key_places];
  std::uint8_t now = left.load(std::memory_order_relaxed);
  // Two threads may count one launch only; the next observation comes a little later then.
  if (now > 0) left.store(--now, std::memory_order_relaxed);
  return now > 0;
}

void IdleHold::note_busy(const void* key, bool ran_dry) noexcept {
  left_[spread(key) % key_places].store(ran_dry ? held_after_dry + 1 : 0, std::memory_order_relaxed);
}

}  // namespace adaptive::cuda
