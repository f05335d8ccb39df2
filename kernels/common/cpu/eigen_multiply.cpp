#include "kernels/common/cpu/eigen_multiply.inl"
#include "kernels/common/cpu/processor.hpp"

namespace adaptive::kernels {

#ifdef ADAPTIVE_KERNELS_X86

EigenProducts eigen_products_avx2() noexcept;
EigenProducts eigen_products_avx512() noexcept;

EigenProducts eigen_products() noexcept {
  if (has_avx512()) return eigen_products_avx512();
  if (has_avx2()) return eigen_products_avx2();
  return products;
}

#else

EigenProducts eigen_products() noexcept {
  return products;
}

#endif

}  // namespace adaptive::kernels
