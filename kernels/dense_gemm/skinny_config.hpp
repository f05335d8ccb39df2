#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

// The variants of our own kernel for few tokens (cuda/skinny.cu). Needs no CUDA.

namespace adaptive::kernels::dense_gemm {

struct SkinnyConfig {
  int rows;   ///< outputs per block: 16 or 32
  int warps;  ///< of a block; each takes its share of k
  int split;  ///< blocks of a cluster that share k
};

constexpr std::int64_t skinny_tokens_max = 16;

/// rows 32: reads the activations half as often. warps 4: less to reduce where n alone fills the device.
/// split 4: fills the device where n is small.
constexpr std::array<SkinnyConfig, 4> skinny_configs = {{{16, 8, 1}, {32, 8, 1}, {16, 4, 1}, {16, 4, 4}}};

inline std::string name_of(const SkinnyConfig& config) {
  return "skinny_r" + std::to_string(config.rows) + "_w" + std::to_string(config.warps) + "_s" +
         std::to_string(config.split);
}

}  // namespace adaptive::kernels::dense_gemm
