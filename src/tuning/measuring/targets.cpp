#include "tuning/measuring/targets.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/family.hpp"
#include "tuning/measuring/host_target.hpp"

#ifdef ADAPTIVE_TUNING_CUDA
#include <adaptive/cuda/device.hpp>

#include "tuning/measuring/cuda_target.hpp"
#endif

namespace adaptive::inline v1::tuning {
namespace {

int count_gpus_here() {
#ifdef ADAPTIVE_TUNING_CUDA
  return cuda::device_count();
#else
  return 0;
#endif
}

}  // namespace

std::string to_string(DeviceId device) {
  return device.is_host() ? "cpu" : "gpu " + std::to_string(device.ordinal);
}

std::vector<std::string> family_names() {
  std::vector<std::string> names;
  for (const kernels::Family* family : kernels::families()) names.push_back(family->name());
  for (const kernels::cuda::Family* family : kernels::cuda::families())
    if (std::find(names.begin(), names.end(), family->name()) == names.end()) names.push_back(family->name());
  return names;
}

int gpu_count() {
  if (kernels::cuda::families().empty()) return 0;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const int count = count_gpus_here();
    ::_exit(::write(ends[1], &count, sizeof count) == sizeof count ? 0 : 1);
  }
  ::close(ends[1]);
  int count = 0;
  if (child < 0 || ::read(ends[0], &count, sizeof count) != sizeof count) count = 0;
  ::close(ends[0]);
  while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return count;
}

std::vector<DeviceId> devices_of(std::string_view family) {
  std::vector<DeviceId> devices;
  if (kernels::cuda::find_family(family) != nullptr)
    for (int gpu = 0, count = gpu_count(); gpu < count; ++gpu) devices.push_back({gpu});
  if (devices.empty() && kernels::find_family(family) != nullptr) devices.push_back({});
  return devices;
}

DeviceId default_device(std::string_view family) {
  const std::vector<DeviceId> devices = devices_of(family);
  return devices.empty() ? DeviceId{} : devices.front();
}

std::unique_ptr<Target> make_target(std::string_view name, DeviceId device, const SamplingOptions& sampling) {
  const std::string wanted(name);
  if (device.is_host()) {
    if (const kernels::Family* family = kernels::find_family(name))
      return std::make_unique<HostTarget>(*family, sampling);
    if (kernels::cuda::find_family(name) != nullptr)
      throw Error(ErrorCode::unsupported, "runs only on GPUs, and this machine has none", wanted);
  }
#ifdef ADAPTIVE_TUNING_CUDA
  if (!device.is_host())
    if (const kernels::cuda::Family* family = kernels::cuda::find_family(name))
      return std::make_unique<CudaTarget>(*family, sampling, device.ordinal);
#endif
  const std::vector<std::string> known = family_names();
  if (std::find(known.begin(), known.end(), wanted) != known.end())
    throw Error(ErrorCode::unsupported, "does not run on " + to_string(device), wanted);
  throw Error(ErrorCode::not_found, "there is no such family", wanted, "known: " + core::joined(known));
}

std::unique_ptr<Target> make_isolated_target(std::string_view family, DeviceId device,
                                             const SamplingOptions& sampling, IsolationOptions isolation) {
  return std::make_unique<IsolatedTarget>(
      make_target(family, device, sampling),
      [name = std::string(family), device, sampling] { return make_target(name, device, sampling); },
      isolation);
}

}  // namespace adaptive::tuning
