// The families and devices of this machine, by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tuning/bench/bench.hpp"
#include "tuning/measuring/isolated_target.hpp"
#include "tuning/measuring/sampling.hpp"

namespace adaptive::tuning {

/// The host, or a GPU by its ordinal.
struct DeviceId {
  static constexpr int host = -1;
  int ordinal = host;

  bool is_host() const noexcept { return ordinal == host; }
  friend bool operator==(const DeviceId&, const DeviceId&) = default;
};

/// "cpu", "gpu 0"
std::string to_string(DeviceId device);

/// Each name once, those of the host first.
std::vector<std::string> family_names();

/// GPUs of this machine. Asks a process of its own, since a process that has asked CUDA cannot make others
/// that use it.
int gpu_count();

/// Those of the machine that the family runs on: its GPUs, or else the host.
std::vector<DeviceId> devices_of(std::string_view family);
/// The first of them.
DeviceId default_device(std::string_view family);

/// Throws `Error`, naming what is known, where no family has the name or the device does not run it. Does not
/// touch the device.
std::unique_ptr<Target> make_target(std::string_view family, DeviceId device,
                                    const SamplingOptions& sampling = {});
/// The same in a process of its own.
std::unique_ptr<Target> make_isolated_target(std::string_view family, DeviceId device,
                                             const SamplingOptions& sampling, IsolationOptions isolation);

}  // namespace adaptive::tuning
