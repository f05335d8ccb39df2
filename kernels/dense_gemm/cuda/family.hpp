#pragma once

#include "kernels/cuda_family.hpp"

namespace adaptive::kernels::dense_gemm {

/// The one instance; cuda::families() lists it.
const cuda::Family& family();

}  // namespace adaptive::kernels::dense_gemm
