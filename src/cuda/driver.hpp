// The driver's functions that timing needs, found at run time.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

namespace adaptive::inline v1::cuda {

/// All that is done on the launch path goes through the driver: a call of the runtime that answers "not
/// ready" or fails leaves that as the thread's last error, where the program would find it and take it for
/// its own. The driver keeps no last error. A stream or event of the runtime is one of the driver.
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

  /// Null where there is no driver, no GPU, or one older than CUDA 12. Initialises the driver, no context.
  static const Driver* find() noexcept;
};

/// Lets the calling thread query and create events while a stream is being captured, by itself or by another
/// thread, without breaking the capture. Only for events and streams that are no part of one.
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

/// Makes a context current for a scope.
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

/// For work of our own that has to go through the runtime: such work is done only where the thread has no
/// error pending, and what it fails with is taken back.
class RuntimeErrorGuard {
 public:
  RuntimeErrorGuard() noexcept : clean_(cudaPeekAtLastError() == cudaSuccess) {}
  RuntimeErrorGuard(const RuntimeErrorGuard&) = delete;
  RuntimeErrorGuard& operator=(const RuntimeErrorGuard&) = delete;
  ~RuntimeErrorGuard() {
    if (clean_) static_cast<void>(cudaGetLastError());
  }
  /// Whether there is room for an error of ours.
  bool clean() const noexcept { return clean_; }

 private:
  bool clean_;
};

/// Whether nothing works any more in a context that answered so.
bool is_sticky(CUresult status) noexcept;
bool is_sticky(cudaError_t status) noexcept;

}  // namespace adaptive::cuda
