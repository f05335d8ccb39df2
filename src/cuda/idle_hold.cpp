#include "cuda/idle_hold.hpp"

#include <algorithm>

namespace adaptive::inline v1::cuda {

std::size_t IdleHold::place_of(const void* operation) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(operation);
  return static_cast<std::size_t>((address * 0x9E3779B97F4A7C15u) >> 40) % places;
}

std::uint64_t IdleHold::wanted(const void* operation, std::uint64_t most_ns) const noexcept {
  const std::uint64_t held = held_ns_[place_of(operation)].load(std::memory_order_relaxed);
  return held <= most_ns ? held : 0;
}

void IdleHold::note(const void* operation, std::uint64_t host_ns) noexcept {
  std::atomic<std::uint64_t>& place = held_ns_[place_of(operation)];
  const auto needed = static_cast<std::uint64_t>(static_cast<double>(host_ns) * margin + margin_ns);
  std::uint64_t held = place.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    if (held == 0)
      next = needed;
    else if (needed > held)
      next = std::min(needed, 2 * held);
    else
      next = held - (held - needed) / 16;
  } while (!place.compare_exchange_weak(held, next, std::memory_order_relaxed));
}

}  // namespace adaptive::cuda
