#define Eigen adaptive_eigen_avx2
#include "kernels/common/cpu/eigen_multiply.inl"

namespace adaptive::kernels {

EigenProducts eigen_products_avx2() noexcept;
EigenProducts eigen_products_avx2() noexcept {
  return products;
}

}  // namespace adaptive::kernels
