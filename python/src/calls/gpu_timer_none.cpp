// Where the package was built without CUDA's headers.
#include "calls/gpu_timer.hpp"

#include <stdexcept>

#include "errors.hpp"

namespace adaptive::python {
const char* why_no_gpu() noexcept {
  return "this package was built without CUDA";
}

int gpu_count() noexcept {
  return 0;
}

Fingerprint gpu(int) {
  raise_error("unsupported", why_no_gpu(), "gpu_device",
              "build it with the headers of CUDA 12 or newer (set CUDAToolkit_ROOT)");
}

const char* loaded_runtime() noexcept {
  return "";
}

struct GpuTimer::Impl {};
struct GpuLaunch::Impl {};

// Nobody makes a timer where `why_no_gpu` has a reason, and so no launch either.
GpuTimer::GpuTimer(LogCallback) {
  throw std::logic_error(why_no_gpu());
}
GpuTimer::~GpuTimer() = default;
std::size_t GpuTimer::poll() noexcept {
  return 0;
}
void GpuTimer::hold_on_idle_streams(std::uint64_t) noexcept {}
bool GpuTimer::drain() noexcept {
  return true;
}
GpuTimerCounters GpuTimer::counters() const noexcept {
  return {};
}

GpuLaunch::GpuLaunch(GpuTimer&, Operation&, const Key&, std::uintptr_t) {
  throw std::logic_error(why_no_gpu());
}
GpuLaunch::GpuLaunch(GpuTimer&, const Site&, std::uintptr_t) {
  throw std::logic_error(why_no_gpu());
}
GpuLaunch::GpuLaunch(GpuLaunch&&) noexcept = default;
GpuLaunch& GpuLaunch::operator=(GpuLaunch&&) noexcept = default;
GpuLaunch::~GpuLaunch() = default;
std::uint32_t GpuLaunch::begin(GpuTimer&, const Site&, std::uintptr_t, std::optional<GpuLaunch>&) {
  throw std::logic_error(why_no_gpu());
}
std::uint32_t GpuLaunch::variant() const noexcept {
  return 0;
}
bool GpuLaunch::timed() const noexcept {
  return false;
}
bool GpuLaunch::captured() const noexcept {
  return false;
}
Decision GpuLaunch::decision() const noexcept {
  return {};
}
Pin GpuLaunch::pin() const noexcept {
  return {};
}
void GpuLaunch::end() noexcept {}
void GpuLaunch::cancel() noexcept {}
void GpuLaunch::fail() noexcept {}

}  // namespace adaptive::python
