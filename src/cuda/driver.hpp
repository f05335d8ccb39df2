// Finds the driver functions that timing needs at run time.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

namespace adaptive::inline v1::cuda {

/// The launch path uses only the driver. A call of the runtime that fails or answers "not ready" would leave
/// that answer as the thread's last error, and the program would take it for its own error. The driver keeps
/// no last error. Streams and events of the runtime are also valid for the driver.
struct Driver {
  decltype(&cuDeviceGetCount) device_get_count;
  decltype(&cuDeviceGet) device_get;
  decltype(&cuDeviceGetName) device_get_name;
  decltype(&cuDeviceGetAttribute) device_get_attribute;
  decltype(&cuDeviceTotalMem) device_total_mem;
  decltype(&cuCtxGetCurrent) ctx_get_current;
  decltype(&cuCtxGetDevice) ctx_get_device;
  decltype(&cuCtxGetId) ctx_get_id;
  decltype(&cuCtxPushCurrent) ctx_push;
  decltype(&cuCtxPopCurrent) ctx_pop;
  decltype(&cuCtxSynchronize) ctx_synchronize;
  decltype(&cuStreamIsCapturing) stream_is_capturing;
  decltype(&cuStreamQuery) stream_query;
  decltype(&cuStreamGetCtx) stream_get_ctx;
  decltype(&cuEventCreate) event_create;
  decltype(&cuEventDestroy) event_destroy;
  decltype(&cuEventRecord) event_record;
  decltype(&cuEventQuery) event_query;
  decltype(&cuEventSynchronize) event_synchronize;
  CUresult (*event_elapsed_ms)(float*, CUevent, CUevent);
  decltype(&cuThreadExchangeStreamCaptureMode) exchange_capture_mode;

  /// Null if there is no driver or no GPU, or if the driver is older than CUDA 12. Initialises the driver,
  /// but creates no context.
  static const Driver* find() noexcept;
};

/// Lets the calling thread query and create events while this or another thread captures a stream, without
/// breaking the capture. The events and streams must not be part of a capture.
class RelaxedCapture {
 public:
  explicit RelaxedCapture(const Driver& driver) noexcept : driver_(driver) {
    driver_.exchange_capture_mode(&mode_);
  }
  RelaxedCapture(const RelaxedCapture&) = delete;
  RelaxedCapture& operator=(const RelaxedCapture&) = delete;
  ~RelaxedCapture() { driver_.exchange_capture_mode(&mode_); }

 private:
  const Driver& driver_;
  CUstreamCaptureMode mode_ = CU_STREAM_CAPTURE_MODE_RELAXED;
};

/// Makes a context current until the end of the scope.
class CurrentContext {
 public:
  CurrentContext(const Driver& driver, CUcontext context) noexcept
      : driver_(driver), pushed_(driver.ctx_push(context) == CUDA_SUCCESS) {}
  CurrentContext(const CurrentContext&) = delete;
  CurrentContext& operator=(const CurrentContext&) = delete;
  ~CurrentContext() {
    CUcontext popped = nullptr;
    if (pushed_) driver_.ctx_pop(&popped);
  }
  explicit operator bool() const noexcept { return pushed_; }

 private:
  const Driver& driver_;
  bool pushed_;
};

/// For work of the library that needs the runtime. Such work is done only if the thread has no error pending;
/// an error that the work causes is removed.
class RuntimeErrorGuard {
 public:
  RuntimeErrorGuard() noexcept : clean_(cudaPeekAtLastError() == cudaSuccess) {}
  RuntimeErrorGuard(const RuntimeErrorGuard&) = delete;
  RuntimeErrorGuard& operator=(const RuntimeErrorGuard&) = delete;
  ~RuntimeErrorGuard() {
    if (clean_) static_cast<void>(cudaGetLastError());
  }
  /// Whether no error was pending, so that an error of this work can be removed.
  bool clean() const noexcept { return clean_; }

 private:
  bool clean_;
};

/// Whether this error means that nothing works in the context any more.
bool is_sticky(CUresult status) noexcept;
bool is_sticky(cudaError_t status) noexcept;

}  // namespace adaptive::cuda
