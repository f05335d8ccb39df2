// The C interface for launches on NVIDIA GPUs, a part of the library adaptive_cuda.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <adaptive/cuda/c.h>
#include <adaptive/cuda.hpp>
#include "c/handles.hpp"

struct adaptive_cuda_timer {
  explicit adaptive_cuda_timer(adaptive::cuda::TimerOptions options) : timer(std::move(options)) {}
  adaptive::cuda::Timer timer;
};

namespace adaptive::inline v1::c {
namespace {

using cuda::Launch;

static_assert(sizeof(Launch) <= sizeof(adaptive_cuda_launch::opaque) &&
              alignof(Launch) <= alignof(std::uint64_t));

Launch& launch_of(adaptive_cuda_launch* launch) noexcept {
  return *std::launder(reinterpret_cast<Launch*>(launch->opaque));
}
const Launch& launch_of(const adaptive_cuda_launch* launch) noexcept {
  return *std::launder(reinterpret_cast<const Launch*>(launch->opaque));
}

// Keeps the launch in the caller's memory and describes it there.
void keep(Launch launch, adaptive_cuda_launch* out) noexcept {
  const Launch& kept = *new (out->opaque) Launch(std::move(launch));
  out->variant = kept.variant();
  out->timed = kept.timed();
  out->captured = kept.captured();
  out->stream = kept.stream();
}

}  // namespace
}  // namespace adaptive::c

using adaptive::c::guarded;
using adaptive::c::launch_of;
using adaptive::c::require;

adaptive_status adaptive_options_set_cuda_device(adaptive_options* options, int ordinal) noexcept {
  return guarded([&] {
    require("adaptive_options_set_cuda_device", options);
    options->options.device = adaptive::cuda::device(ordinal);
  });
}

adaptive_status adaptive_cuda_timer_create(adaptive_cuda_timing timing, adaptive_log_function log, void* data,
                                           adaptive_cuda_timer** timer) noexcept {
  return guarded([&] {
    require("adaptive_cuda_timer_create", timer);
    if (timing != ADAPTIVE_CUDA_TIMING_EVENTS && timing != ADAPTIVE_CUDA_TIMING_CUPTI)
      throw adaptive::Error(adaptive::ErrorCode::invalid_argument,
                            "there is no timing " + std::to_string(timing), "adaptive_cuda_timer_create");
    adaptive::cuda::TimerOptions options;
    options.timing =
        timing == ADAPTIVE_CUDA_TIMING_CUPTI ? adaptive::cuda::Timing::cupti : adaptive::cuda::Timing::events;
    options.log = adaptive::c::log_callback(log, data);
    *timer = std::make_unique<adaptive_cuda_timer>(std::move(options)).release();
  });
}

void adaptive_cuda_timer_destroy(adaptive_cuda_timer* timer) noexcept {
  delete timer;
}

void adaptive_cuda_timer_launch(adaptive_cuda_timer* timer, adaptive_operation* operation,
                                const std::int64_t* key, std::size_t size, void* stream,
                                adaptive_cuda_launch* launch) noexcept {
  adaptive::c::keep(timer->timer.launch(adaptive::c::operation_of(operation), adaptive::c::key_of(key, size),
                                        static_cast<cudaStream_t>(stream)),
                    launch);
}

void adaptive_cuda_timer_launch_site(adaptive_cuda_timer* timer, const adaptive_site* site, void* stream,
                                     adaptive_cuda_launch* launch) noexcept {
  adaptive::c::keep(timer->timer.launch(site->site, static_cast<cudaStream_t>(stream)), launch);
}

int adaptive_cuda_launch_check(adaptive_cuda_launch* launch, int status) noexcept {
  adaptive::cuda::Launch& kept = launch_of(launch);
  kept.check(static_cast<cudaError_t>(status));
  launch->timed = kept.timed();
  return status;
}

void adaptive_cuda_launch_cancel(adaptive_cuda_launch* launch) noexcept {
  launch_of(launch).cancel();
  launch->timed = false;
}

adaptive_pin adaptive_cuda_launch_pin(const adaptive_cuda_launch* launch) noexcept {
  return adaptive::c::to_c(launch_of(launch).pin());
}

void adaptive_cuda_launch_end(adaptive_cuda_launch* launch) noexcept {
  launch_of(launch).~Launch();
  launch->timed = false;
}

std::size_t adaptive_cuda_timer_poll(adaptive_cuda_timer* timer) noexcept {
  return timer->timer.poll();
}

bool adaptive_cuda_timer_drain(adaptive_cuda_timer* timer) noexcept {
  return timer->timer.drain();
}
