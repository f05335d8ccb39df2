#include <array>

#include "kernels/cuda_family.hpp"
#include "kernels/dense_gemm/cuda/family.hpp"
#include "kernels/fused_moe/cuda/family.hpp"
#include "kernels/grouped_gemm/cuda/family.hpp"
#include "kernels/mixed_bit_matmul/cuda/family.hpp"
#include "kernels/quantized_matmul/cuda/family.hpp"
#include "kernels/ragged_paged_attention/cuda/family.hpp"

namespace adaptive::kernels::cuda {

std::span<const Family* const> families() {
  static const std::array<const Family*, 6> all = {
      &dense_gemm::family(),     &grouped_gemm::cuda_family(),           &mixed_bit_matmul::cuda_family(),
      &fused_moe::cuda_family(), &ragged_paged_attention::cuda_family(), &quantized_matmul::cuda_family(),
  };
  return all;
}

}  // namespace adaptive::kernels::cuda
