#pragma once

#include "kernels/cuda_family.hpp"

namespace adaptive::kernels::quantized_matmul {

/// The only instance, which cuda::families() lists.
const cuda::Family& cuda_family();

}  // namespace adaptive::kernels::quantized_matmul
