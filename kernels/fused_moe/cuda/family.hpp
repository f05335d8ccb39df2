#pragma once

#include "kernels/cuda_family.hpp"

namespace adaptive::kernels::fused_moe {

/// The only instance, which cuda::families() lists.
const cuda::Family& cuda_family();

}  // namespace adaptive::kernels::fused_moe
