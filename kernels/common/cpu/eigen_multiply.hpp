#pragma once

#include <cstdint>

namespace adaptive::kernels {

/// Maximum sizes of one Eigen product, so that the blocks that it packs fit its stack buffers and it does not
/// allocate.
inline constexpr std::int64_t eigen_depth_max = 256;
inline constexpr std::int64_t eigen_side_max = 128;

/// Computes y[rows, columns] (+)= x[rows, depth] * w[depth, columns], or with w[columns, depth] transposed;
/// all matrices are row-major with the given strides. Does not allocate if depth <= eigen_depth_max and rows
/// and columns <= eigen_side_max. Thread-safe.
using EigenMultiply = void (*)(const float* x, std::int64_t x_stride, const float* w, std::int64_t w_stride,
                               float* y, std::int64_t y_stride, std::int64_t rows, std::int64_t depth,
                               std::int64_t columns, bool accumulate) noexcept;

struct EigenProducts {
  EigenMultiply plain, transposed;
};

/// Eigen compiled for the widest instructions of this processor, as in a program that was built for it.
EigenProducts eigen_products() noexcept;

}  // namespace adaptive::kernels
