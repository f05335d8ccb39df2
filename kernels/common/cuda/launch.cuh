#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace adaptive::kernels::cuda {

/// Grid, block and dynamic shared memory of a launch. `cluster` neighbouring blocks form a cluster (more than
/// 1 requires compute capability 9.0) and must divide `blocks`.
struct LaunchSize {
  int blocks = 1;
  int threads = 1;
  int cluster = 1;
  int shared_bytes = 0;
  int grid_rows = 1;  ///< rows of `blocks` blocks each: the grid's second dimension
  /// Begins before the kernel ahead of it in the stream has finished (overlap.cuh). The device and the code
  /// must be of compute capability 9.0 or higher.
  bool overlaps = false;
};

template <class... Parameters, class... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), const LaunchSize& size, cudaStream_t stream,
                   const Arguments&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(static_cast<unsigned>(size.blocks), static_cast<unsigned>(size.grid_rows));
  config.blockDim = dim3(static_cast<unsigned>(size.threads));
  config.dynamicSmemBytes = static_cast<std::size_t>(size.shared_bytes);
  config.stream = stream;
  cudaLaunchAttribute attributes[2] = {};
  config.attrs = attributes;
  if (size.cluster > 1) {
    cudaLaunchAttribute& attribute = attributes[config.numAttrs++];
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim.x = static_cast<unsigned>(size.cluster);
    attribute.val.clusterDim.y = 1;
    attribute.val.clusterDim.z = 1;
  }
  if (size.overlaps) {
    cudaLaunchAttribute& attribute = attributes[config.numAttrs++];
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
  }
  return cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

/// Sets the maximum dynamic shared memory of a launch of the kernel on the current device.
template <class... Parameters>
cudaError_t allow_shared_bytes(void (*kernel)(Parameters...), int bytes) {
  return cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
}

/// Number of tiles that cover `size`.
constexpr int tiles_of(int size, int tile) {
  return (size + tile - 1) / tile;
}

}  // namespace adaptive::kernels::cuda
