// Whether a GPU is being slowed down, as NVML says. The library is loaded at run time; where it is missing
// nothing is known, and nothing is dropped.
#pragma once

#include <string>

namespace adaptive::tuning {

class Throttling {
 public:
  /// Of the device at this PCI address, "0000:1b:00.0".
  explicit Throttling(const std::string& pci_address);
  Throttling(const Throttling&) = delete;
  Throttling& operator=(const Throttling&) = delete;
  ~Throttling();

  bool known() const noexcept { return device_ != nullptr; }
  /// By temperature or by the board, right now. The clocks of an idle device, those that somebody has set,
  /// and the power limit that a busy GPU runs at for hours are no throttling: production has them too.
  bool now() const noexcept;

 private:
  void* library_ = nullptr;
  void* device_ = nullptr;
  int (*reasons_)(void*, unsigned long long*) = nullptr;
};

/// Of the bits of nvmlDeviceGetCurrentClocksThrottleReasons, those that mean it.
bool is_throttled(unsigned long long reasons) noexcept;

}  // namespace adaptive::tuning
