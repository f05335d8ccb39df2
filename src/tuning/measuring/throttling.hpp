// Asks NVML whether a GPU is throttled. The library is loaded at run time. If it is missing, throttling is
// unknown, and no sample is dropped.
#pragma once

#include <string>

namespace adaptive::inline v1::tuning {

class Throttling {
 public:
  /// For the device at this PCI address, "0000:1b:00.0".
  explicit Throttling(const std::string& pci_address);
  Throttling(const Throttling&) = delete;
  Throttling& operator=(const Throttling&) = delete;
  ~Throttling();

  bool known() const noexcept { return device_ != nullptr; }
  /// Whether the device is throttled now, by temperature or by the board. Clocks of an idle device, clocks
  /// that a person has set, and the power limit at which a busy GPU runs for hours do not count: production
  /// has them too.
  bool now() const noexcept;

 private:
  void* library_ = nullptr;
  void* device_ = nullptr;
  int (*reasons_)(void*, unsigned long long*) = nullptr;
};

/// The bits of nvmlDeviceGetCurrentClocksThrottleReasons that count as throttling.
bool is_throttled(unsigned long long reasons) noexcept;

}  // namespace adaptive::tuning
