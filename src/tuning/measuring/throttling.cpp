#include "tuning/measuring/throttling.hpp"

#include <dlfcn.h>

namespace adaptive::inline v1::tuning {
namespace {

template <class Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

}  // namespace

// nvml.h: nvmlClocksThrottleReasonHwSlowdown, SwThermalSlowdown, HwThermalSlowdown, HwPowerBrakeSlowdown.
bool is_throttled(unsigned long long reasons) noexcept {
  constexpr unsigned long long mask = 0x8 | 0x20 | 0x40 | 0x80;
  return (reasons & mask) != 0;
}

Throttling::Throttling(const std::string& pci_address) {
  library_ = ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library_ == nullptr) return;
  const auto init = symbol<int (*)()>(library_, "nvmlInit_v2");
  const auto find = symbol<int (*)(const char*, void**)>(library_, "nvmlDeviceGetHandleByPciBusId_v2");
  reasons_ =
      symbol<int (*)(void*, unsigned long long*)>(library_, "nvmlDeviceGetCurrentClocksThrottleReasons");
  if (init == nullptr || find == nullptr || reasons_ == nullptr || init() != 0) return;
  if (find(pci_address.c_str(), &device_) != 0) device_ = nullptr;
}

Throttling::~Throttling() {
  if (library_ == nullptr) return;
  if (const auto shutdown = symbol<int (*)()>(library_, "nvmlShutdown")) shutdown();
  ::dlclose(library_);
}

bool Throttling::now() const noexcept {
  unsigned long long reasons = 0;
  return device_ != nullptr && reasons_(device_, &reasons) == 0 && is_throttled(reasons);
}

}  // namespace adaptive::tuning
