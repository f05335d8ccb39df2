#pragma once

#include <cstdint>

namespace adaptive::kernels::cuda {

/// What operands on GPUs are stored as. Needs no CUDA.
enum class Element : std::int64_t { bfloat16, float16, float8_e4m3 };

}  // namespace adaptive::kernels::cuda
