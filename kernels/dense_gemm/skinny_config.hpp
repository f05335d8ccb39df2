#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/common/cuda/loaded_code.hpp"

// The variants of the library's own kernels for few tokens (cuda/gemv.cu, cuda/skinny.cu). Needs no CUDA.

namespace adaptive::kernels::dense_gemm {

struct SkinnyConfig {
  enum class Kernel { gemv, skinny };
  Kernel kernel;
  int rows;   ///< number of outputs: of a warp for gemv, of a block for skinny
  int warps;  ///< warps of a block; with skinny each warp takes its share of k
  int split;  ///< blocks of a cluster that share k; skinny only
};

/// `rows` 2 reads the activations half as often; `rows` 1 has twice as many warps if n is small. The split of
/// skinny fills the device if n is small.
constexpr std::array<SkinnyConfig, 4> skinny_configs = {{
    {SkinnyConfig::Kernel::gemv, 1, 4, 1},
    {SkinnyConfig::Kernel::gemv, 2, 4, 1},
    {SkinnyConfig::Kernel::skinny, 16, 8, 1},
    {SkinnyConfig::Kernel::skinny, 16, 4, 4},
}};

constexpr std::int64_t tokens_max(const SkinnyConfig& config) {
  return config.kernel == SkinnyConfig::Kernel::gemv ? 4 : 16;
}

constexpr cuda::Instructions instructions_of(const SkinnyConfig& config) {
  return config.split > 1 ? cuda::Instructions::cluster : cuda::Instructions::ampere;
}

inline std::string name_of(const SkinnyConfig& config) {
  const std::string rows = "_r" + std::to_string(config.rows);
  if (config.kernel == SkinnyConfig::Kernel::gemv) return "gemv" + rows;
  return "skinny" + rows + "_w" + std::to_string(config.warps) + "_s" + std::to_string(config.split);
}

/// Variants of one class give the same bits: the number of outputs computed together does not change any sum.
inline std::string class_of(const SkinnyConfig& config) {
  if (config.kernel == SkinnyConfig::Kernel::gemv) return "gemv";
  return "skinny_w" + std::to_string(config.warps) + "_s" + std::to_string(config.split);
}

}  // namespace adaptive::kernels::dense_gemm
