#pragma once

#include "kernels/family.hpp"

// The only instance of each family; families() lists them.

namespace adaptive::kernels {

const Family& mixed_bit_matmul_family();
const Family& grouped_gemm_family();
const Family& dense_gemm_family();
const Family& quantized_matmul_family();
const Family& fused_moe_family();
const Family& ragged_paged_attention_family();

}  // namespace adaptive::kernels
