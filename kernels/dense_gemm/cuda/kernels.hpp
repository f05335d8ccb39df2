#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/dense_gemm/problem.hpp"
#include "kernels/dense_gemm/skinny_config.hpp"

// Our own kernels, as the host calls them. None waits or allocates; each returns what the launch returned.

namespace adaptive::kernels::dense_gemm {

struct Operands {
  const void* x = nullptr;  ///< [m, k]
  const void* w = nullptr;  ///< [n, k]
  void* y = nullptr;        ///< [m, n]
};

/// Any shape, any type; a 32 × 32 tile in float32. The default where nothing better is known.
cudaError_t launch_plain(const Sizes& sizes, const Operands& operands, cudaStream_t stream) noexcept;

/// For `skinny_configs[index]`; the caller has checked skinny_supports().
cudaError_t launch_skinny(std::size_t index, const Sizes& sizes, const Operands& operands,
                          cudaStream_t stream) noexcept;

/// The part of it that is in gemv.cu; `rows`: 1 or 2.
cudaError_t launch_gemv(int rows, const Sizes& sizes, const Operands& operands, cudaStream_t stream) noexcept;

/// 2-byte types, few tokens, rows that are whole 16-byte loads; clusters need compute capability 9.
inline bool skinny_supports(std::size_t index, const Sizes& sizes, int compute_capability_major) {
  return sizes.type != Type::float8_e4m3 && sizes.m <= tokens_max(skinny_configs[index]) &&
         sizes.k % 8 == 0 &&
         (skinny_configs[index].split == 1 ? compute_capability_major >= 8 : compute_capability_major >= 9);
}

}  // namespace adaptive::kernels::dense_gemm
