#include "calls/gpu_timer.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <adaptive/cuda.hpp>

#include "gpu/process_runtime.hpp"

namespace adaptive::python {
namespace {

cudaStream_t stream_of(std::uintptr_t handle) noexcept {
  return reinterpret_cast<cudaStream_t>(handle);
}

}  // namespace

const char* why_no_gpu() noexcept {
  // Initialising the driver keeps processes that are forked later from using CUDA, so it is not asked where
  // no GPU can be. /dev/dxg is the GPU of the Windows Subsystem for Linux.
  if (::access("/dev/nvidiactl", F_OK) != 0 && ::access("/dev/dxg", F_OK) != 0)
    return "this machine has no NVIDIA GPU";
  return cuda::device_count() > 0 ? "" : "the CUDA driver is missing, older than CUDA 12, or shows no GPU";
}

int gpu_count() noexcept {
  return *why_no_gpu() == '\0' ? cuda::device_count() : 0;
}

Fingerprint gpu(int ordinal) {
  Fingerprint device = cuda::device(ordinal);
  // The library names the toolkit that it was compiled with. A wheel was compiled elsewhere.
  const auto runtime = device.libraries.find("cuda_runtime");
  device.toolkit = runtime == device.libraries.end() ? std::string() : runtime->second;
  return device;
}

const char* loaded_runtime() noexcept {
  return process_runtime();
}

struct GpuTimer::Impl {
  cuda::Timer timer;
};

GpuTimer::GpuTimer(LogCallback log)
    : impl_(new Impl{cuda::Timer(cuda::TimerOptions{.log = std::move(log)})}) {}
GpuTimer::~GpuTimer() = default;

std::size_t GpuTimer::poll() noexcept {
  return impl_->timer.poll();
}

void GpuTimer::hold_on_idle_streams(std::uint64_t most_ns) noexcept {
  impl_->timer.hold_on_idle_streams(std::chrono::nanoseconds(static_cast<std::int64_t>(most_ns)));
  // Loads the kernel that holds launches, now and not while the program launches.
  if (most_ns > 0) impl_->timer.bias();
}

bool GpuTimer::drain() noexcept {
  return impl_->timer.drain();
}

GpuTimerCounters GpuTimer::counters() const noexcept {
  const cuda::TimerCounters c = impl_->timer.counters();
  return {c.timed,   c.recorded, c.idle,     c.queued, c.lost,
          c.pending, c.dropped,  c.captured, c.failed, c.cancelled};
}

struct GpuLaunch::Impl {
  explicit Impl(cuda::Launch begun) noexcept : launch(std::move(begun)) {}
  cuda::Launch launch;
};

GpuLaunch::GpuLaunch(GpuTimer& timer, Operation& operation, const Key& key, std::uintptr_t stream)
    : impl_(std::make_unique<Impl>(timer.impl_->timer.launch(operation, key, stream_of(stream)))) {}
GpuLaunch::GpuLaunch(GpuTimer& timer, const Site& site, std::uintptr_t stream)
    : impl_(std::make_unique<Impl>(timer.impl_->timer.launch(site, stream_of(stream)))) {}
GpuLaunch::GpuLaunch(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
GpuLaunch::GpuLaunch(GpuLaunch&&) noexcept = default;
GpuLaunch& GpuLaunch::operator=(GpuLaunch&&) noexcept = default;
GpuLaunch::~GpuLaunch() = default;

std::uint32_t GpuLaunch::begin(GpuTimer& timer, const Site& site, std::uintptr_t stream,
                               std::optional<GpuLaunch>& launch) {
  cuda::Launch begun = timer.impl_->timer.launch(site, stream_of(stream));
  const std::uint32_t variant = begun.variant();
  if (begun.timed() || begun.captured()) [[unlikely]]
    launch = GpuLaunch(std::make_unique<Impl>(std::move(begun)));
  return variant;
}

std::uint32_t GpuLaunch::variant() const noexcept {
  return impl_->launch.variant();
}

bool GpuLaunch::timed() const noexcept {
  return impl_->launch.timed();
}

bool GpuLaunch::captured() const noexcept {
  return impl_->launch.captured();
}

Decision GpuLaunch::decision() const noexcept {
  return impl_->launch.decision();
}

Pin GpuLaunch::pin() const noexcept {
  return impl_->launch.pin();
}

void GpuLaunch::end() noexcept {
  impl_.reset();
}

void GpuLaunch::cancel() noexcept {
  impl_->launch.cancel();
  impl_.reset();
}

void GpuLaunch::fail() noexcept {
  // Any error that does not mean that the whole context is lost.
  impl_->launch.check(cudaErrorInvalidValue);
  impl_.reset();
}

}  // namespace adaptive::python
