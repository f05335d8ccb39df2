#include <array>

#include "kernels/cuda_family.hpp"
#include "kernels/dense_gemm/cuda/family.hpp"

namespace adaptive::kernels::cuda {

std::span<const Family* const> families() {
  static const std::array<const Family*, 1> all = {
      &dense_gemm::family(),
  };
  return all;
}

}  // namespace adaptive::kernels::cuda
