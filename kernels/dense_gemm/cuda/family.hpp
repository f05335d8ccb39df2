#pragma once

#include "kernels/cuda_family.hpp"

namespace adaptive::kernels::dense_gemm {

/// The only instance, which cuda::families() lists.
const cuda::Family& family();

}  // namespace adaptive::kernels::dense_gemm
