// The kernel that takes a given time (src/cuda/bias/spin.cu), as PTX that the driver compiles: a package
// that is built without nvcc, and runs with whatever runtime the process has, cannot register a kernel of its
// own.
#include "cuda/bias/spin.hpp"

#include <array>

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

}  // namespace

cudaError_t launch_spin(std::uint64_t ns, std::uint64_t* ran_ns, cudaStream_t stream) {
  const python::DriverFunctions& driver = python::driver_functions();
  // A module belongs to a context. One thread measures one context and ends (`BiasMeter`), so that this one
  // is loaded once each; the context keeps it.
  thread_local CUfunction kernel = nullptr;
  CUresult status = CUDA_SUCCESS;
  if (kernel == nullptr) {
    CUmodule module = nullptr;
    status = driver.module_load(&module, ptx);
    if (status == CUDA_SUCCESS) status = driver.module_function(&kernel, module, "spin");
  }
  std::array<void*, 2> arguments{&ns, &ran_ns};
  if (status == CUDA_SUCCESS)
    status = driver.launch(kernel, 1, 1, 1, 1, 1, 1, 0, stream, arguments.data(), nullptr);
  return static_cast<cudaError_t>(status);
}

}  // namespace adaptive::cuda
