// Included once for each instruction set, after a macro has renamed `Eigen`: Eigen's templates are shared
// inline functions, and the linker must not merge copies that are compiled for different instruction sets.

#define EIGEN_STACK_ALLOCATION_LIMIT (256 * 1024)  // eigen_side_max * eigen_depth_max floats, twice
#define EIGEN_DONT_PARALLELIZE

#include <Eigen/Core>

#include "kernels/common/cpu/eigen_multiply.hpp"

namespace adaptive::kernels {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ColumnMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;
using Stride = Eigen::OuterStride<>;

template <class Weights>
void multiply(const float* x, std::int64_t x_stride, const float* w, std::int64_t w_stride, float* y,
              std::int64_t y_stride, std::int64_t rows, std::int64_t depth, std::int64_t columns,
              bool accumulate) noexcept {
  const Eigen::Map<const RowMajor, 0, Stride> left(x, rows, depth, Stride(x_stride));
  const Eigen::Map<const Weights, 0, Stride> right(w, depth, columns, Stride(w_stride));
  Eigen::Map<RowMajor, 0, Stride> out(y, rows, columns, Stride(y_stride));
  if (accumulate)
    out.noalias() += left * right;
  else
    out.noalias() = left * right;
}

constexpr EigenProducts products = {multiply<RowMajor>, multiply<ColumnMajor>};

}  // namespace
}  // namespace adaptive::kernels
