// The kernel that takes a given time (src/cuda/bias/spin.cu), as PTX that the driver compiles: a package
// that is built without nvcc, and runs with whatever runtime the process has, cannot register a kernel of its
// own.
#include "cuda/bias/spin.hpp"

#include <array>
#include <cstddef>
#include <mutex>

#include "cuda/driver.hpp"
#include "cuda/event_pool.hpp"
#include "gpu/driver_functions.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr const char* ptx = R"(
.version 7.0
.target sm_70
.address_size 64

.visible .entry spin(.param .u64 ns, .param .u64 ran_ns) {
  .reg .pred %done, %silent;
  .reg .b64 %wanted, %out, %begin, %now, %ran;
  ld.param.u64 %wanted, [ns];
  ld.param.u64 %out, [ran_ns];
  mov.u64 %begin, %globaltimer;
  mov.u64 %ran, 0;
loop:
  setp.ge.u64 %done, %ran, %wanted;
  @%done bra end;
  mov.u64 %now, %globaltimer;
  sub.u64 %ran, %now, %begin;
  bra loop;
end:
  setp.eq.u64 %silent, %out, 0;
  @%silent ret;
  cvta.to.global.u64 %out, %out;
  st.global.u64 [%out], %ran;
  ret;
}
)";

// The kernel of each context that has loaded it.
class Kernels {
 public:
  CUfunction find(unsigned long long context) noexcept {
    const std::lock_guard lock(mutex_);
    for (const Loaded& one : loaded_)
      if (one.context == context) return one.kernel;
    return nullptr;
  }
  // The oldest goes where there are more contexts than places; the context keeps its module.
  void add(unsigned long long context, CUfunction kernel) noexcept {
    const std::lock_guard lock(mutex_);
    loaded_[next_++ % loaded_.size()] = {context, kernel};
  }

 private:
  struct Loaded {
    unsigned long long context = 0;
    CUfunction kernel = nullptr;
  };
  std::mutex mutex_;
  std::array<Loaded, EventPool::pools_max> loaded_{};
  std::size_t next_ = 0;
};

// Of the current context. Loads it where this context has not loaded it yet, which takes some milliseconds.
CUresult find_kernel(const python::DriverFunctions& driver, CUfunction& kernel) {
  static Kernels kernels;
  const Driver* const queries = Driver::find();
  CUcontext context = nullptr;
  unsigned long long id = 0;
  if (queries == nullptr) return CUDA_ERROR_NOT_INITIALIZED;
  CUresult status = queries->ctx_get_current(&context);
  if (status == CUDA_SUCCESS) status = queries->ctx_get_id(context, &id);
  if (status != CUDA_SUCCESS) return status;
  kernel = kernels.find(id);
  if (kernel != nullptr) return CUDA_SUCCESS;
  CUmodule module = nullptr;
  status = driver.module_load(&module, ptx);
  if (status == CUDA_SUCCESS) status = driver.module_function(&kernel, module, "spin");
  if (status == CUDA_SUCCESS) kernels.add(id, kernel);
  return status;
}

}  // namespace

cudaError_t launch_spin(std::uint64_t ns, std::uint64_t* ran_ns, cudaStream_t stream) {
  const python::DriverFunctions& driver = python::driver_functions();
  CUfunction kernel = nullptr;
  CUresult status = find_kernel(driver, kernel);
  std::array<void*, 2> arguments{&ns, &ran_ns};
  if (status == CUDA_SUCCESS)
    status = driver.launch(kernel, 1, 1, 1, 1, 1, 1, 0, stream, arguments.data(), nullptr);
  return static_cast<cudaError_t>(status);
}

}  // namespace adaptive::cuda
