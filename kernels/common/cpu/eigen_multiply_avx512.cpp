#define Eigen adaptive_eigen_avx512
#include "kernels/common/cpu/eigen_multiply.inl"

namespace adaptive::kernels {

EigenProducts eigen_products_avx512() noexcept;
EigenProducts eigen_products_avx512() noexcept {
  return products;
}

}  // namespace adaptive::kernels
