// Where the package was built without CUDA's headers.
#include "gpu_timer.hpp"

#include <adaptive/error.hpp>

namespace adaptive::python {
namespace {

[[noreturn]] void refuse() {
  throw Error(why_no_gpu(), "adaptive_selector",
              "build it with the headers of CUDA 12 or newer (set CUDAToolkit_ROOT)");
}

}  // namespace

const char* why_no_gpu() noexcept {
  return "this package was built without CUDA";
}

int gpu_count() noexcept {
  return 0;
}

Fingerprint gpu(int) {
  refuse();
}

const char* loaded_runtime() noexcept {
  return "";
}

struct GpuTimer::Impl {};
struct GpuLaunch::Impl {};

GpuTimer::GpuTimer(LogCallback) {
  refuse();
}
GpuTimer::~GpuTimer() = default;
std::size_t GpuTimer::poll() noexcept {
  return 0;
}
bool GpuTimer::drain() noexcept {
  return true;
}
GpuTimerCounters GpuTimer::counters() const noexcept {
  return {};
}

// No timer is ever made, so neither is a launch.
GpuLaunch::GpuLaunch(GpuTimer&, Operation&, const Key&, std::uintptr_t) {
  refuse();
}
GpuLaunch::GpuLaunch(GpuTimer&, const Site&, std::uintptr_t) {
  refuse();
}
GpuLaunch::~GpuLaunch() = default;
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
void GpuLaunch::abandon() noexcept {}
void GpuLaunch::fail() noexcept {}

}  // namespace adaptive::python
