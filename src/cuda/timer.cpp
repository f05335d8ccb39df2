// The public interface of timers, and their set-up.
#include <adaptive/cuda/timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "cuda/timer_state.hpp"

namespace adaptive::inline v1::cuda {

Timer::State::State(TimerOptions timer_options) : driver(Driver::find()), options(std::move(timer_options)) {
  pending_max = static_cast<std::uint32_t>(
      std::clamp<std::size_t>(options.pending_max, 1, std::size_t{EventPool::capacity}));
  if (driver == nullptr)
    say(Trouble::no_driver, LogLevel::info, "there is no CUDA driver; launches are not timed");
  if (asks_for_nvtx(options.nvtx)) ranges = NvtxRanges::find();
  if (options.timing == Timing::cupti) {
    std::string why;
    cupti = CuptiSession::open(why);
    if (cupti == nullptr)
      say(Trouble::cupti, LogLevel::warning,
          "CUPTI is not available (" + why + "); launches are timed by events");
  }
  uses_events.store(cupti == nullptr, std::memory_order_relaxed);
}

Timer::State::~State() {
  if (cupti != nullptr) {
    cupti->launches.abandon_all(*this);
    cupti->close();
  }
  for (std::atomic<InFlight*>& place : flights) {
    InFlight* const flight = place.load(std::memory_order_acquire);
    if (flight == nullptr) continue;
    // A thread that is still measuring must not outlive the program's last timer, because CUDA may be
    // unloaded then.
    flight->pool().bias().wait();
    give_up(*flight);
    delete flight;
  }
}

void Timer::State::say(Trouble trouble, LogLevel level, std::string_view line) noexcept {
  const unsigned bit = 1u << static_cast<unsigned>(trouble);
  if ((said.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  report(level, line);
}

void Timer::State::report(LogLevel level, std::string_view line) const noexcept {
  if (!options.log) return log_to_stderr(level, line);
  try {
    options.log(level, line);
  } catch (...) {
    // The program's callback has thrown, which it must not do; the launch goes on.
  }
}

void Timer::State::lose(EventPool& pool, int status) noexcept {
  if (!pool.lose()) return;
  try {
    report(LogLevel::error, "the context of a GPU is lost (CUDA error " + std::to_string(status) +
                                "); its launches are no longer timed");
  } catch (...) {
    // Out of memory for the message; `TimerCounters::lost` still counts.
  }
}

InFlight* Timer::State::in_flight_of(CUcontext context) noexcept {
  EventPool* const pool = EventPool::of(*driver, context);
  if (pool == nullptr) return nullptr;
  std::atomic<InFlight*>& place = flights[pool->index()];
  InFlight* flight = place.load(std::memory_order_acquire);
  if (flight != nullptr) return flight;
  auto* const made = new (std::nothrow) InFlight(*pool);
  if (made == nullptr) return nullptr;
  if (place.compare_exchange_strong(flight, made, std::memory_order_acq_rel)) return made;
  delete made;
  return flight;
}

EventPool* Timer::State::current_pool() noexcept {
  CUcontext context = nullptr;
  if (driver == nullptr || driver->ctx_get_current(&context) != CUDA_SUCCESS || context == nullptr)
    return nullptr;
  return EventPool::of(*driver, context);
}

Timer::Timer(Timing timing) : Timer(TimerOptions{.timing = timing}) {}
Timer::Timer(TimerOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Timer::~Timer() = default;

void Timer::hold_on_idle_streams(std::chrono::nanoseconds most) noexcept {
  state_->hold_max_ns.store(static_cast<std::uint64_t>(std::max<std::int64_t>(most.count(), 0)),
                            std::memory_order_relaxed);
}

std::size_t Timer::poll() noexcept {
  std::size_t taken = 0;
  if (state_->uses_events.load(std::memory_order_relaxed))
    taken = state_->harvest(~std::size_t{0}, State::Wait::no);
  if (state_->cupti != nullptr) taken += state_->flush_records();
  return taken;
}

bool Timer::drain() noexcept {
  return state_->drain();
}

Timing Timer::timing() const noexcept {
  return state_->uses_records() ? Timing::cupti : Timing::events;
}

Latency Timer::bias() noexcept {
  EventPool* pool = state_->current_pool();
  if (pool == nullptr && state_->driver != nullptr) {
    // A thread that has not used the runtime yet has no context; this call makes the runtime bind its own.
    const RuntimeErrorGuard guard;
    if (guard.clean() && cudaFree(nullptr) == cudaSuccess) pool = state_->current_pool();
  }
  if (pool == nullptr || state_->uses_records()) return Latency{0};
  pool->bias().start();
  pool->bias().wait();
  return pool->bias().value();
}

TimerCounters Timer::counters() const noexcept {
  const State::Counts& counts = state_->counts;
  const auto read = [](const std::atomic<std::uint64_t>& c) { return c.load(std::memory_order_relaxed); };
  TimerCounters all;
  all.timed = read(counts.timed);
  all.recorded = read(counts.recorded);
  all.idle = read(counts.idle);
  all.queued = read(counts.queued);
  all.lost = read(counts.lost);
  all.dropped = read(counts.dropped);
  all.captured = read(counts.captured);
  all.failed = read(counts.failed);
  all.cancelled = read(counts.cancelled);
  all.pending =
      static_cast<std::uint64_t>(std::max<std::int64_t>(state_->pending.load(std::memory_order_relaxed), 0));
  return all;
}

}  // namespace adaptive::cuda
