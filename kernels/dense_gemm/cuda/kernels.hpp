#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/dense_gemm/problem.hpp"
#include "kernels/dense_gemm/skinny_config.hpp"

// The library's own kernels, as the host calls them. No function waits or allocates; each returns the status
// of its launch.

namespace adaptive::kernels::dense_gemm {

struct Operands {
  const void* x = nullptr;  ///< [m, k]
  const void* w = nullptr;  ///< [n, k]
  void* y = nullptr;        ///< [m, n]
};

/// Runs any shape and type, with a 32 × 32 tile in float32. The default if nothing better is known.
cudaError_t launch_plain(const Sizes& sizes, const Operands& operands, cudaStream_t stream) noexcept;

/// Runs `skinny_configs[index]`; the caller has checked its instructions and skinny_supports().
cudaError_t launch_skinny(std::size_t index, const Sizes& sizes, const Operands& operands,
                          cudaStream_t stream) noexcept;

/// The part of launch_skinny() that is in gemv.cu; `rows` is 1 or 2.
cudaError_t launch_gemv(int rows, const Sizes& sizes, const Operands& operands, cudaStream_t stream) noexcept;

/// Requires 2-byte types, few tokens, and rows that consist of complete 16-byte loads.
inline bool skinny_supports(std::size_t index, const Sizes& sizes) {
  return sizes.type != Type::float8_e4m3 && sizes.m <= tokens_max(skinny_configs[index]) && sizes.k % 8 == 0;
}

}  // namespace adaptive::kernels::dense_gemm
