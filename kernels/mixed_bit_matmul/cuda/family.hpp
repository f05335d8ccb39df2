#pragma once

#include "kernels/cuda_family.hpp"

namespace adaptive::kernels::mixed_bit_matmul {

/// The one instance; cuda::families() lists it.
const cuda::Family& cuda_family();

}  // namespace adaptive::kernels::mixed_bit_matmul
