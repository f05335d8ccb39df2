#include "cuda/graph/replay/records.hpp"

#include <algorithm>

namespace adaptive::inline v1::cuda {

void ReplayRecords::begin(ReplayDriver::Flight flight, ReplayDriver::Handle executable,
                          std::span<const std::size_t> launches) {
  Replay replay{.executable = executable};
  for (const std::size_t launch : launches) replay.launches.push_back({launch});
  const std::lock_guard lock(mutex_);
  replays_.emplace(flight, std::move(replay));
}

ReplayDriver::Reading ReplayRecords::latency(ReplayDriver::Flight flight, std::size_t launch) const noexcept {
  using State = ReplayDriver::Reading::State;
  const std::lock_guard lock(mutex_);
  const auto at = replays_.find(flight);
  if (at == replays_.end() || !at->second.launched) return {State::never, {}};
  for (const Expected& expected : at->second.launches)
    if (expected.launch == launch)
      return {expected.latency.count() > 0.0 ? State::here : State::pending, expected.latency};
  return {State::never, {}};
}

void ReplayRecords::release(ReplayDriver::Flight flight) noexcept {
  const std::lock_guard lock(mutex_);
  replays_.erase(flight);
}

std::uint64_t ReplayRecords::stale() const noexcept {
  const std::lock_guard lock(mutex_);
  return stale_;
}

void ReplayRecords::replayed(std::uint64_t replay, std::uint32_t correlation) noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = replays_.find(replay);
  if (at == replays_.end() || at->second.launched) return;
  at->second.correlation = correlation;
  at->second.launched = true;
}

void ReplayRecords::receive(std::uint64_t tag, std::uint32_t correlation, Latency latency) noexcept {
  const std::lock_guard lock(mutex_);
  for (auto& [flight, replay] : replays_) {
    if (!replay.launched || replay.correlation != correlation || replay.executable != tag >> 32) continue;
    for (Expected& expected : replay.launches) {
      if (expected.launch != (tag & 0xFFFFFFFFu) || expected.latency.count() > 0.0) continue;
      expected.latency = latency;
      return;
    }
  }
  ++stale_;
}

}  // namespace adaptive::cuda
