// Finds the families and devices of this machine by name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tuning/bench/bench.hpp"
#include "tuning/measuring/isolated_target.hpp"
#include "tuning/measuring/sampling.hpp"

namespace adaptive::inline v1::tuning {

/// The host, or a GPU by its ordinal.
struct DeviceId {
  static constexpr int host = -1;
  int ordinal = host;

  bool is_host() const noexcept { return ordinal == host; }
  friend bool operator==(const DeviceId&, const DeviceId&) = default;
};

/// "cpu", "gpu 0"
std::string to_string(DeviceId device);

/// All names of families, without duplicates, those of the host first.
std::vector<std::string> family_names();

/// The GPUs of this machine. Runs the query in a separate process: a process that has used CUDA cannot fork
/// others that use it.
int gpu_count();

/// The devices of the machine on which the family runs: its GPUs, or else the host.
std::vector<DeviceId> devices_of(std::string_view family);
/// The first of them.
DeviceId default_device(std::string_view family);

/// Does not use the device. Throws `Error`, which lists the known families, if there is no such family, or if
/// the device does not run it.
std::unique_ptr<Target> make_target(std::string_view family, DeviceId device,
                                    const SamplingOptions& sampling = {});
/// The target in a process of its own.
std::unique_ptr<Target> make_isolated_target(std::string_view family, DeviceId device,
                                             const SamplingOptions& sampling, IsolationOptions isolation);

}  // namespace adaptive::tuning
