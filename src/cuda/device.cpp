// Names the GPUs of this machine. Uses only the driver, which needs no context for this and does not touch
// the runtime's last error.
#include <adaptive/cuda/device.hpp>

#include <array>
#include <cstddef>
#include <fstream>
#include <string>

#include <adaptive/error.hpp>
#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Example: "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  Release Build ...". The open module
// has more words before the number, none of which begins with a digit and contains a dot.
std::string driver_version() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string word;
  while (file >> word)
    if (word.front() >= '0' && word.front() <= '9' && word.find('.') != std::string::npos) return word;
  return {};
}

const Driver& require_driver() {
  const Driver* driver = Driver::find();
  if (driver == nullptr)
    throw Error(ErrorCode::unsupported, "there is no CUDA driver", "adaptive::cuda::device",
                "install it, or use host_device()");
  return *driver;
}

int current_ordinal(const Driver& driver) {
  CUdevice current = 0;
  // A context made with the driver has precedence over the runtime's device, which is 0 for a thread that has
  // set none.
  if (driver.ctx_get_device(&current) == CUDA_SUCCESS) return current;
  int ordinal = 0;
  return cudaGetDevice(&ordinal) == cudaSuccess ? ordinal : 0;
}

}  // namespace

int device_count() noexcept {
  const Driver* driver = Driver::find();
  int count = 0;
  if (driver == nullptr || driver->device_get_count(&count) != CUDA_SUCCESS) return 0;
  return count;
}

Fingerprint device(int ordinal) {
  const Driver& driver = require_driver();
  const int count = device_count();
  if (ordinal < 0) ordinal = current_ordinal(driver);
  CUdevice handle = 0;
  std::array<char, 256> name{};
  if (ordinal >= count || driver.device_get(&handle, ordinal) != CUDA_SUCCESS ||
      driver.device_get_name(name.data(), static_cast<int>(name.size()) - 1, handle) != CUDA_SUCCESS)
    throw Error(ErrorCode::not_found, "there is no GPU " + std::to_string(ordinal), "adaptive::cuda::device",
                "this machine has " + std::to_string(count));

  const auto attribute = [&](CUdevice_attribute which) {
    int value = 0;
    return driver.device_get_attribute(&value, which, handle) == CUDA_SUCCESS ? value : 0;
  };
  Fingerprint result;
  result.device = name.data();
  result.driver = driver_version();
  result.toolkit = version_text(CUDART_VERSION);
  result.libraries["compute_capability"] =
      std::to_string(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)) + "." +
      std::to_string(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
  result.libraries["multiprocessors"] = std::to_string(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  std::size_t bytes = 0;
  if (driver.device_total_mem(&bytes, handle) == CUDA_SUCCESS)
    result.libraries["memory_mib"] = std::to_string(bytes >> 20);
  int runtime = 0;
  if (cudaRuntimeGetVersion(&runtime) == cudaSuccess)
    result.libraries["cuda_runtime"] = version_text(runtime);
  return result;
}

}  // namespace adaptive::cuda
