// Takes the latencies that have arrived and gives them to their operations.
#include <mutex>

#include "cuda/bias/estimate.hpp"
#include "cuda/samples.hpp"
#include "cuda/timer_state.hpp"

namespace adaptive::inline v1::cuda {

std::size_t Timer::State::harvest(std::size_t most, Wait wait) noexcept {
  if (driver == nullptr || pending.load(std::memory_order_relaxed) <= 0) return 0;
  std::unique_lock lock(harvesting, std::defer_lock);
  if (wait == Wait::yes)
    lock.lock();
  else if (!lock.try_lock())
    return 0;
  const RelaxedCapture relaxed(*driver);
  std::size_t taken = 0;
  for (const std::atomic<InFlight*>& place : flights) {
    InFlight* const flight = place.load(std::memory_order_acquire);
    if (flight != nullptr && taken < most) taken += harvest(*flight, most - taken, wait);
  }
  return taken;
}

std::size_t Timer::State::harvest(InFlight& flight, std::size_t most, Wait wait) noexcept {
  if (flight.count() == 0) return 0;
  BiasMeter& bias = flight.pool().bias();
  bias.start();
  if (wait == Wait::yes) bias.wait();
  if (!bias.done() && !flight.pool().lost()) return 0;
  flight.sort();
  std::size_t taken = 0;
  const std::size_t first = flight.turn();
  for (std::size_t i = 0; i < InFlight::lanes; ++i) {
    const std::size_t lane = (first + i) % InFlight::lanes;
    while (EventPair* const pair = flight.oldest(lane)) {
      if (flight.pool().lost()) {
        return taken + give_up(flight);
      }
      if (taken >= most) return taken;
      if (!can_be_read(flight, *pair, wait)) break;
      flight.take(lane);
      read_latency(flight, *pair);
      ++taken;
    }
  }
  return taken;
}

bool Timer::State::can_be_read(InFlight& flight, EventPair& pair, Wait wait) noexcept {
  const CUresult status =
      wait == Wait::yes ? driver->event_synchronize(pair.end) : driver->event_query(pair.end);
  if (status == CUDA_SUCCESS) return true;
  if (status == CUDA_ERROR_NOT_READY) return false;
  if (is_sticky(status)) {
    lose(flight.pool(), status);
    return false;
  }
  // The pair cannot be used any more; `read_latency` will notice and count it.
  return true;
}

void Timer::State::read_latency(InFlight& flight, EventPair& pair) noexcept {
  float ms = 0;
  const CUresult status = driver->event_elapsed_ms(&ms, pair.start, pair.end);
  Operation& operation = *pair.operation;
  const Decision decision = pair.decision;
  const bool idle = pair.idle;
  flight.leave();
  pending.fetch_sub(1, std::memory_order_relaxed);
  if (status != CUDA_SUCCESS) {
    count(counts.lost);  // the pair is lost too: its events are no longer reliable
    return;
  }
  flight.pool().release(pair);
  const double pair_ns = double{ms} * 1e6;
  // An idle reading includes the launch, so the bias of a queued pair does not apply to it.
  const Latency latency = without_bias(pair_ns, idle ? Latency{0} : flight.pool().bias().value());
  if (give_sample(queue_states, operation, decision, idle, latency) == QueueStates::Verdict::leave_out)
    count(idle ? counts.idle : counts.queued);
  else
    count(counts.recorded);
}

// Within a graph, kernels follow each other as they do on a busy queue.
void Timer::State::give_replayed(Operation& operation, const Decision& decision, Latency latency) noexcept {
  if (uses_records()) return operation.record(decision, latency);
  const std::lock_guard lock(harvesting);
  give_sample(queue_states, operation, decision, false, latency);
}

// The events of a lost context are not queried again, because some answers would never come.
std::size_t Timer::State::give_up(InFlight& flight) noexcept {
  std::size_t taken = 0;
  flight.sort();
  for (std::size_t lane = 0; lane < InFlight::lanes; ++lane)
    while (EventPair* const pair = flight.oldest(lane)) {
      flight.take(lane);
      flight.pool().release(*pair);
      flight.leave();
      pending.fetch_sub(1, std::memory_order_relaxed);
      count(counts.lost);
      ++taken;
    }
  return taken;
}

bool Timer::State::drain() noexcept {
  bool fine = true;
  while (uses_events.load(std::memory_order_relaxed) && pending.load(std::memory_order_relaxed) > 0)
    if (harvest(~std::size_t{0}, Wait::yes) == 0) break;
  if (cupti != nullptr) drain_records();
  for (const std::atomic<InFlight*>& place : flights) {
    InFlight* const flight = place.load(std::memory_order_acquire);
    if (flight != nullptr && flight->pool().lost()) fine = false;
  }
  return fine;
}

}  // namespace adaptive::cuda
