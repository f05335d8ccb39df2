#include "gpu/driver_functions.hpp"

#include <dlfcn.h>

namespace adaptive::python {
namespace {

template <class... Arguments>
void find_function(void* library, const char* name, CUresult (*&function)(Arguments...)) noexcept {
  void* const address = library == nullptr ? nullptr : dlsym(library, name);
  function = [](Arguments...) { return CUDA_ERROR_NOT_FOUND; };
  if (address != nullptr) function = reinterpret_cast<CUresult (*)(Arguments...)>(address);
}

DriverFunctions load() noexcept {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  DriverFunctions all{};
  find_function(driver, "cuMemAlloc_v2", all.mem_alloc);
  find_function(driver, "cuMemcpyDtoHAsync_v2", all.memcpy_to_host);
  find_function(driver, "cuCtxGetStreamPriorityRange", all.priority_range);
  find_function(driver, "cuStreamCreateWithPriority", all.stream_create);
  find_function(driver, "cuStreamSynchronize", all.stream_synchronize);
  find_function(driver, "cuStreamDestroy_v2", all.stream_destroy);
  find_function(driver, "cuModuleLoadData", all.module_load);
  find_function(driver, "cuModuleGetFunction", all.module_function);
  find_function(driver, "cuLaunchKernel", all.launch);
  return all;
}

}  // namespace

const DriverFunctions& driver_functions() noexcept {
  static const DriverFunctions all = load();
  return all;
}

}  // namespace adaptive::python
