#include "gpu/process_runtime.hpp"

#include <cuda.h>
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <link.h>

#include <array>
#include <atomic>
#include <cstring>

#include "gpu/driver_functions.hpp"

namespace adaptive::python {
namespace {

struct Runtime {
  void* library = nullptr;
  std::array<char, 512> path{};
};

int find_runtime(dl_phdr_info* info, std::size_t, void* found) {
  auto& runtime = *static_cast<Runtime*>(found);
  const char* const slash = std::strrchr(info->dlpi_name, '/');
  // "libcudart.so.12", or "libcudart-9335f6a2.so.12" where a wheel has renamed it.
  if (std::strncmp(slash == nullptr ? info->dlpi_name : slash + 1, "libcudart", 9) != 0) return 0;
  if (std::strlen(info->dlpi_name) >= runtime.path.size()) return 0;
  std::strcpy(runtime.path.data(), info->dlpi_name);
  return 1;
}

// Looked for again until it is there: a program may import its framework later than this package.
const Runtime* runtime() noexcept {
  static std::atomic<const Runtime*> known{nullptr};
  const Runtime* found = known.load(std::memory_order_acquire);
  if (found != nullptr) return found;
  Runtime candidate;
  if (dl_iterate_phdr(find_runtime, &candidate) == 0) return nullptr;
  // Not a new copy: one reference more, never given back, to what is loaded.
  candidate.library = dlopen(candidate.path.data(), RTLD_NOW | RTLD_NOLOAD);
  if (candidate.library == nullptr) return nullptr;
  const auto* const made = new (std::nothrow) Runtime(candidate);
  if (made == nullptr || known.compare_exchange_strong(found, made)) return made;
  delete made;
  return found;
}

// Calls the process' own function of that name; `otherwise` where there is no runtime.
template <class... Arguments>
cudaError_t call(const char* name, cudaError_t otherwise, Arguments... arguments) noexcept {
  const Runtime* const loaded = runtime();
  void* const function = loaded == nullptr ? nullptr : dlsym(loaded->library, name);
  if (function == nullptr) return otherwise;
  return reinterpret_cast<cudaError_t (*)(Arguments...)>(function)(arguments...);
}

cudaError_t as_runtime(CUresult status) noexcept {
  return static_cast<cudaError_t>(status);  // the runtime numbers its errors as the driver does
}

}  // namespace

const char* process_runtime() noexcept {
  const Runtime* const loaded = runtime();
  return loaded == nullptr ? "" : loaded->path.data();
}

}  // namespace adaptive::python

using adaptive::python::as_runtime;
using adaptive::python::call;
using adaptive::python::driver_functions;

extern "C" {

// The state of the calling thread.
cudaError_t cudaPeekAtLastError() {
  return call("cudaPeekAtLastError", cudaSuccess);
}

cudaError_t cudaGetLastError() {
  return call("cudaGetLastError", cudaSuccess);
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return call("cudaGetDevice", cudaSuccess, device);
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return call("cudaRuntimeGetVersion", cudaErrorNotSupported, version);
}

// Called where the thread has no context yet: the runtime binds its own.
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return call("cudaStreamIsCapturing", cudaErrorInvalidResourceHandle, stream, status);
}

// Called with null alone, for the same reason.
cudaError_t cudaFree(void* memory) {
  return call("cudaFree", cudaErrorNotSupported, memory);
}

// Memory and streams in the current context.
cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  CUdeviceptr address = 0;
  const CUresult status = driver_functions().mem_alloc(&address, bytes);
  *memory = reinterpret_cast<void*>(address);
  return as_runtime(status);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind,
                            cudaStream_t stream) {
  return as_runtime(
      driver_functions().memcpy_to_host(to, reinterpret_cast<CUdeviceptr>(from), bytes, stream));
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return as_runtime(driver_functions().priority_range(least, greatest));
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int priority) {
  return as_runtime(driver_functions().stream_create(stream, flags, priority));
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return as_runtime(driver_functions().stream_synchronize(stream));
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return as_runtime(driver_functions().stream_destroy(stream));
}

}  // extern "C"
