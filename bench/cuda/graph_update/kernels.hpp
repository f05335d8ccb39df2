// Many small functions, so that every trial that needs a function that has never run finds one.
#pragma once

#include <cstdint>

#include <cuda_runtime.h>

namespace bench {

/// The first functions are in one module, the next four each in a module of its own, and the last four need
/// increasing amounts of local memory.
constexpr std::uint32_t modules_begin = 64, stacks_begin = modules_begin + 4,
                        functions_max = stacks_begin + 4;

/// Adds a small number to 4096 numbers, which takes a few microseconds.
cudaError_t launch(std::uint32_t function, float* data, cudaStream_t stream);

const void* address(std::uint32_t function);
dim3 grid(std::uint32_t function);
dim3 block(std::uint32_t function);

/// The functions that are alone in their modules.
using Step = void (*)(float*);
Step module_step0();
Step module_step1();
Step module_step2();
Step module_step3();

}  // namespace bench
