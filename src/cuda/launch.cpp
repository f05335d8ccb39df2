// The launch path: begins and ends timed launches.
#include <adaptive/cuda/launch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <utility>

#include "cuda/bias/spin.hpp"
#include "cuda/timer_state.hpp"

namespace adaptive::inline v1::cuda {
namespace {

// Maximum number of latencies that one launch takes, so that no launch pays for a thousand others.
constexpr std::size_t taken_by_timed = 8;
constexpr std::size_t taken_by_untimed = 4;
// One of this many untimed launches checks whether latencies have arrived.
constexpr std::uint32_t untimed_share = 32;

// Time that an event pair adds to its stream, measured on an H200 with CUDA 13.0 (docs/benchmarks). From it
// an operation learns how many of its launches are worth timing.
constexpr Latency event_pair_cost(3400.0);

bool is_memory(cudaError_t status) noexcept {
  return status == cudaErrorMemoryAllocation || status == cudaErrorLaunchOutOfResources;
}

}  // namespace

Launch::Launch(Timer& timer, Operation& operation, const Decision& decision, cudaStream_t stream,
               bool whole_graph) noexcept
    : timer_(&timer), operation_(&operation), decision_(decision), stream_(stream) {
  Timer::State& state = *timer.state_;
  if (decision.timed()) [[unlikely]] {
    state.check_device(operation);
    state.begin(*this, whole_graph);
    return;
  }
  if (!state.has_launched.load(std::memory_order_relaxed)) [[unlikely]] {
    state.has_launched.store(true, std::memory_order_relaxed);
    state.check_device(operation);
  }
  state.poll_sometimes();
}

void Launch::end() noexcept {
  if (slot_ != nullptr) timer_->state_->end(*this);
  if (range_ != 0) timer_->state_->ranges->end(std::exchange(range_, 0));
}

void Launch::cancelled() noexcept {
  timer_->state_->cancel(*this);
}

void Launch::failed(cudaError_t status) noexcept {
  timer_->state_->fail(*this, status);
}

Launch Timer::launch_on(Operation& operation, const Key& key, cudaStream_t stream,
                        bool whole_graph) noexcept {
  if (state_->capture_of(stream) != State::Capture::no) [[unlikely]] {
    count(state_->counts.captured);
    state_->check_device(operation);
    return state_->ranged({*this, operation, operation.pin(key), stream});
  }
  return state_->ranged({*this, operation, operation.select(key), stream, whole_graph});
}

Launch Timer::launch_on(const Site& site, cudaStream_t stream) noexcept {
  if (state_->capture_of(stream) != State::Capture::no) [[unlikely]] {
    count(state_->counts.captured);
    state_->check_device(site.operation());
    return state_->ranged({*this, site.operation(), site.pin(), stream});
  }
  return state_->ranged({*this, site.operation(), site.select(), stream, false});
}

Launch Timer::State::ranged(Launch launch) noexcept {
  if (ranges == nullptr) [[likely]]
    return launch;
  const char* const why = launch.captured_ ? "pinned" : launch.decision_.exploring() ? "exploring" : "leader";
  launch.range_ = ranges->begin(*launch.operation_, launch.variant(), why);
  return launch;
}

Timer::State::Capture Timer::State::capture_of(cudaStream_t stream) const noexcept {
  if (driver == nullptr) return Capture::no;
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  CUresult answer = driver->stream_is_capturing(stream, &status);
  if (answer == CUDA_ERROR_INVALID_CONTEXT || answer == CUDA_ERROR_NOT_INITIALIZED) [[unlikely]] {
    // The runtime has not yet bound its context to this thread. The launch that follows would make the
    // runtime do so; this call does it earlier. If the runtime cannot, the launch fails with the same error.
    cudaStreamCaptureStatus bound = cudaStreamCaptureStatusNone;
    answer = static_cast<CUresult>(cudaStreamIsCapturing(stream, &bound));
    status = static_cast<CUstreamCaptureStatus>(bound);
  }
  if (answer == CUDA_SUCCESS) [[likely]]
    return status == CU_STREAM_CAPTURE_STATUS_NONE ? Capture::no : Capture::yes;
  // This is the legacy stream while a stream that waits for it is being captured. Any call on it now would
  // break that capture.
  return answer == CUDA_ERROR_STREAM_CAPTURE_IMPLICIT ? Capture::untouchable : Capture::no;
}

void Timer::State::check_device(const Operation& operation) noexcept {
  if (driver == nullptr || operation.device().device != host_device().device) return;
  say(Trouble::host_selector, LogLevel::warning,
      "a GPU launch uses a selector that was made for the host processor: the tables of this selector are "
      "not those of the GPU, and what it learns is saved under the name of the processor; write "
      "SelectorOptions{.device = adaptive::cuda::device()}");
}

void Timer::State::begin(Launch& launch, bool whole_graph) noexcept {
  CUcontext context = nullptr;
  InFlight* flight = nullptr;
  if (driver != nullptr && driver->stream_get_ctx(launch.stream_, &context) == CUDA_SUCCESS)
    flight = in_flight_of(context);
  if (flight != nullptr && flight->pool().lost()) flight = nullptr;
  if (uses_records() && !whole_graph) {
    launch.slot_ = flight != nullptr ? begin_records(launch) : nullptr;
    if (launch.slot_ == nullptr) count(counts.dropped);
    return;
  }
  if (cupti != nullptr) {
    uses_events.store(true, std::memory_order_relaxed);
    if (!whole_graph)
      say(Trouble::cupti_exhausted, LogLevel::warning,
          "CUPTI has recorded so many kernels of graphs that its records can no longer be trusted; launches "
          "are "
          "timed by events from now on");
  }
  if (flight == nullptr || !flight->enter(pending_max)) {
    count(counts.dropped);
    return;
  }
  const RelaxedCapture relaxed(*driver);
  EventPair* const pair = flight->pool().acquire();
  if (pair != nullptr) {
    // If the stream is idle now, the start event retires before the kernel arrives. If the stream becomes
    // idle later, but before the kernel arrives, `end` notices that.
    const bool began_idle = driver->stream_query(launch.stream_) == CUDA_SUCCESS;
    const bool held = hold(*flight, launch, began_idle);
    const CUresult recorded = driver->event_record(pair->start, launch.stream_);
    if (recorded == CUDA_SUCCESS) {
      pair->operation = launch.operation_;
      pair->decision = launch.decision_;
      pair->stream = launch.stream_;
      pair->flight = flight;
      pair->idle = began_idle && !held;
      pair->is_observed = !began_idle && !held;
      pair->begun = hold_max_ns.load(std::memory_order_relaxed) > 0 ? std::chrono::steady_clock::now()
                                                                    : std::chrono::steady_clock::time_point();
      pair->exceptions = std::uncaught_exceptions();
      launch.operation_->note_timing_cost(event_pair_cost);
      launch.slot_ = pair;
      return;
    }
    flight->pool().release(*pair);
    if (is_sticky(recorded)) lose(flight->pool(), recorded);
  }
  flight->leave();
  count(counts.dropped);
}

bool Timer::State::hold(InFlight& flight, const Launch& launch, bool began_idle) noexcept {
  const std::uint64_t most_ns = hold_max_ns.load(std::memory_order_relaxed);
  // The measurement of the bias has loaded the kernel into this context; to load it here would take long.
  if (most_ns == 0 || !flight.pool().bias().done()) return false;
  if (!began_idle && !idle_hold.runs_dry(launch.decision_.key_id())) return false;
  const std::uint64_t ns = idle_hold.wanted(launch.operation_, most_ns);
  const RuntimeErrorGuard guard;
  return ns > 0 && guard.clean() && launch_spin(ns, nullptr, launch.stream_) == cudaSuccess;
}

void Timer::State::end(Launch& launch) noexcept {
  void* const slot = std::exchange(launch.slot_, nullptr);
  if (cupti != nullptr && cupti->launches.owns(slot)) {
    end_records(slot);
    return;
  }
  EventPair& pair = *static_cast<EventPair*>(slot);
  InFlight& flight = *pair.flight;
  const RelaxedCapture relaxed(*driver);
  // If an exception is leaving the scope, perhaps only half of the launch was enqueued. If the program has
  // begun a capture in between, the end event would become part of the graph.
  CUresult recorded = CUDA_ERROR_UNKNOWN;
  const bool whole = std::uncaught_exceptions() <= pair.exceptions && capture_of(pair.stream) == Capture::no;
  if (whole) {
    if (!pair.idle) pair.idle = driver->event_query(pair.start) == CUDA_SUCCESS;
    recorded = driver->event_record(pair.end, pair.stream);
  }
  if (recorded == CUDA_SUCCESS) {
    if (pair.begun != std::chrono::steady_clock::time_point()) {
      if (pair.is_observed) idle_hold.note_busy(pair.decision.key_id(), pair.idle);
      const std::int64_t host_ns = (std::chrono::steady_clock::now() - pair.begun).count();
      idle_hold.note(pair.operation, static_cast<std::uint64_t>(std::max<std::int64_t>(host_ns, 0)));
    }
    count(counts.timed);
    pending.fetch_add(1, std::memory_order_relaxed);
    flight.add(pair);
  } else {
    flight.pool().release(pair);
    flight.leave();
    count(counts.dropped);
    if (whole && is_sticky(recorded)) lose(flight.pool(), recorded);
  }
  harvest(taken_by_timed, Wait::no);
}

void Timer::State::drop_timing(Launch& launch) noexcept {
  void* const slot = std::exchange(launch.slot_, nullptr);
  if (slot == nullptr) return;
  if (cupti != nullptr && cupti->launches.owns(slot)) {
    cupti->launches.abandon(*static_cast<CuptiLaunch*>(slot));
    return;
  }
  EventPair& pair = *static_cast<EventPair*>(slot);
  pair.flight->pool().release(pair);
  pair.flight->leave();
}

void Timer::State::cancel(Launch& launch) noexcept {
  count(counts.cancelled);
  drop_timing(launch);
}

void Timer::State::fail(Launch& launch, cudaError_t status) noexcept {
  count(counts.failed);
  drop_timing(launch);
  if (is_sticky(status)) {
    EventPool* const pool = current_pool();
    const bool known = pool != nullptr && pool->lost();
    if (pool != nullptr) lose(*pool, status);
    // Once a context is lost, every call in it fails, whatever the variant.
    if (known) return;
  }
  launch.operation_->fail(launch.decision_);
  if (is_memory(status))
    say(Trouble::memory, LogLevel::warning,
        "a launch failed because the GPU had too little memory or other resources; its variant is set aside "
        "for that key");
}

void Timer::State::poll_sometimes() noexcept {
  // It is sufficient that some untimed launches check: timed launches always do.
  if (pending.load(std::memory_order_relaxed) <= 0 || !uses_events.load(std::memory_order_relaxed)) [[likely]]
    return;
  thread_local std::uint32_t launches = 0;
  if (++launches % untimed_share == 0) harvest(taken_by_untimed, Wait::no);
}

}  // namespace adaptive::cuda
