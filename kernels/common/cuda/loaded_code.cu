#include "kernels/common/cuda/loaded_code.hpp"

#include <cuda_runtime_api.h>

namespace adaptive::kernels::cuda {
namespace {

// All files of the library are compiled for the same architectures, so the code that the driver chooses for
// this kernel tells which code it chooses for the others.
__global__ void compiled_like_all_others() {}

}  // namespace

LoadedCode loaded_code() noexcept {
  const bool clean = cudaPeekAtLastError() == cudaSuccess;
  LoadedCode found;
#ifdef ADAPTIVE_KERNELS_90A
  found.built_for_90a = true;
#endif
  int device = 0;
  const bool known =
      cudaGetDevice(&device) == cudaSuccess &&
      cudaDeviceGetAttribute(&found.major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&found.minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess;
  cudaFuncAttributes attributes{};
  if (known && cudaFuncGetAttributes(&attributes, compiled_like_all_others) == cudaSuccess)
    found.compiled_for = attributes.ptxVersion;
  if (clean) static_cast<void>(cudaGetLastError());  // an error from here is not the caller's
  return known ? found : LoadedCode{};
}

}  // namespace adaptive::kernels::cuda
