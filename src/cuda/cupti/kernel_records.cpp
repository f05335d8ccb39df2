// A timer that uses CUPTI's kernel records instead of events.
#include <chrono>
#include <exception>
#include <thread>

#include "cuda/timer_state.hpp"

namespace adaptive::inline v1::cuda {
namespace {

// Upper limit of the time from the end of the last kernel to the delivery of its record.
constexpr std::chrono::seconds delivery_max{2};

}  // namespace

void Timer::State::receive(const CuptiLaunch& launch, Latency latency) noexcept {
  // A record contains only the kernel's time, whether its stream was idle or busy.
  launch.operation->record(launch.decision, latency);
  count(counts.recorded);
  pending.fetch_sub(1, std::memory_order_relaxed);
}

void Timer::State::lost(const CuptiLaunch&) noexcept {
  count(counts.lost);
  pending.fetch_sub(1, std::memory_order_relaxed);
}

void* Timer::State::begin_records(const Launch& launch) noexcept {
  if (pending.load(std::memory_order_relaxed) >= std::int64_t{pending_max}) return nullptr;
  return cupti->launches.begin(*this, *launch.operation_, launch.decision_);
}

void Timer::State::end_records(void* slot) noexcept {
  auto& launch = *static_cast<CuptiLaunch*>(slot);
  if (std::uncaught_exceptions() > launch.exceptions) {
    cupti->launches.abandon(launch);
    count(counts.dropped);
    return;
  }
  count(counts.timed);
  pending.fetch_add(1, std::memory_order_relaxed);
  cupti->launches.end(launch);
}

std::size_t Timer::State::flush_records() noexcept {
  const std::uint64_t before = counts.recorded.load(std::memory_order_relaxed);
  cupti->flush();
  return static_cast<std::size_t>(counts.recorded.load(std::memory_order_relaxed) - before);
}

void Timer::State::drain_records() noexcept {
  for (const std::atomic<InFlight*>& place : flights) {
    const InFlight* const flight = place.load(std::memory_order_acquire);
    if (flight == nullptr || flight->pool().lost()) continue;
    const CurrentContext current(*driver, flight->pool().context());
    const RelaxedCapture relaxed(*driver);
    const CUresult status = driver->ctx_synchronize();
    if (is_sticky(status)) lose(flight->pool(), status);
  }
  const auto end = std::chrono::steady_clock::now() + delivery_max;
  flush_records();
  while (pending.load(std::memory_order_relaxed) > 0 && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    flush_records();
  }
  // These records were dropped, or lost with their context.
  cupti->launches.abandon_all(*this);
}

}  // namespace adaptive::cuda
