#include "cuda/driver.hpp"

#include <dlfcn.h>

#include <type_traits>

namespace adaptive::inline v1::cuda {
namespace {

constexpr int version_min = 12000;

template <class Function>
Function symbol(void* library, const char* name) noexcept {
  return reinterpret_cast<Function>(dlsym(library, name));
}

bool load_driver(Driver& driver) noexcept {
  // The library is never closed, since the runtime uses it as well.
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  const auto init = symbol<decltype(&cuInit)>(library, "cuInit");
  const auto get_version = symbol<decltype(&cuDriverGetVersion)>(library, "cuDriverGetVersion");
  const auto get =
      symbol<CUresult (*)(const char*, void**, int, cuuint64_t, CUdriverProcAddressQueryResult*)>(
          library, "cuGetProcAddress_v2");
  int version = 0;
  if (init == nullptr || get_version == nullptr || get == nullptr) return false;
  if (init(0) != CUDA_SUCCESS || get_version(&version) != CUDA_SUCCESS || version < version_min) return false;

  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    void* address = nullptr;
    CUdriverProcAddressQueryResult found{};
    if (get(name, &address, version_min, CU_GET_PROC_ADDRESS_LEGACY_STREAM, &found) != CUDA_SUCCESS ||
        address == nullptr)
      complete = false;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  };
  find(driver.device_get_count, "cuDeviceGetCount");
  find(driver.device_get, "cuDeviceGet");
  find(driver.device_get_name, "cuDeviceGetName");
  find(driver.device_get_attribute, "cuDeviceGetAttribute");
  find(driver.device_total_mem, "cuDeviceTotalMem");
  find(driver.ctx_get_current, "cuCtxGetCurrent");
  find(driver.ctx_get_device, "cuCtxGetDevice");
  find(driver.ctx_get_id, "cuCtxGetId");
  find(driver.ctx_push, "cuCtxPushCurrent");
  find(driver.ctx_pop, "cuCtxPopCurrent");
  find(driver.ctx_synchronize, "cuCtxSynchronize");
  find(driver.stream_is_capturing, "cuStreamIsCapturing");
  find(driver.stream_query, "cuStreamQuery");
  find(driver.stream_get_ctx, "cuStreamGetCtx");
  find(driver.event_create, "cuEventCreate");
  find(driver.event_destroy, "cuEventDestroy");
  find(driver.event_record, "cuEventRecord");
  find(driver.event_query, "cuEventQuery");
  find(driver.event_synchronize, "cuEventSynchronize");
  find(driver.event_elapsed_ms, "cuEventElapsedTime");
  find(driver.exchange_capture_mode, "cuThreadExchangeStreamCaptureMode");
  return complete;
}

}  // namespace

const Driver* Driver::find() noexcept {
  static const Driver* const found = []() noexcept -> const Driver* {
    static Driver driver;
    return load_driver(driver) ? &driver : nullptr;
  }();
  return found;
}

bool is_sticky(CUresult status) noexcept {
  switch (status) {
    case CUDA_ERROR_DEINITIALIZED:
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
    case CUDA_ERROR_MPS_CLIENT_TERMINATED:
    case CUDA_ERROR_UNKNOWN:
      return true;
    default:
      return false;
  }
}

// If both the runtime and the driver have an error, it has the same number in both.
bool is_sticky(cudaError_t status) noexcept {
  static_assert(int{cudaErrorIllegalAddress} == int{CUDA_ERROR_ILLEGAL_ADDRESS});
  static_assert(int{cudaErrorLaunchFailure} == int{CUDA_ERROR_LAUNCH_FAILED});
  static_assert(int{cudaErrorECCUncorrectable} == int{CUDA_ERROR_ECC_UNCORRECTABLE});
  // 46 is also the driver's CUDA_ERROR_DEVICE_UNAVAILABLE.
  static_assert(int{cudaErrorDevicesUnavailable} == int{CUDA_ERROR_DEVICE_UNAVAILABLE});
  return is_sticky(static_cast<CUresult>(status));
}

}  // namespace adaptive::cuda
