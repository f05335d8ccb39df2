// Many small functions, so that a fresh one is at hand for every trial that needs a function never used
// before.
#pragma once

#include <cstdint>

#include <cuda_runtime.h>

namespace bench {

constexpr std::uint32_t functions_max = 64;

/// Adds a little to 4096 numbers; a few microseconds.
cudaError_t launch(std::uint32_t function, float* data, cudaStream_t stream);

const void* address(std::uint32_t function);
dim3 grid(std::uint32_t function);
dim3 block(std::uint32_t function);

}  // namespace bench
