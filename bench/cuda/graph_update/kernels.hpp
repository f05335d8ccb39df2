// Many small functions, so that a fresh one is at hand for every trial that needs a function never used
// before.
#pragma once

#include <cstdint>

#include <cuda_runtime.h>

namespace bench {

/// The first ones are of one module; four are each alone in theirs, four need ever more local memory.
constexpr std::uint32_t modules_begin = 64, stacks_begin = modules_begin + 4,
                        functions_max = stacks_begin + 4;

/// Adds a little to 4096 numbers; a few microseconds.
cudaError_t launch(std::uint32_t function, float* data, cudaStream_t stream);

const void* address(std::uint32_t function);
dim3 grid(std::uint32_t function);
dim3 block(std::uint32_t function);

/// Of the functions alone in their modules.
using Step = void (*)(float*);
Step module_step0();
Step module_step1();
Step module_step2();
Step module_step3();

}  // namespace bench
