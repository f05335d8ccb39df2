#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "kernels/fused_moe/cuda/config.hpp"
#include "kernels/fused_moe/cuda/levels/config.hpp"

// The variants for weights of fewer than 16 bits: pairs of tiles of this folder's kernels. Needs no CUDA.

namespace adaptive::kernels::fused_moe::levels {

/// The places of both tiles in stream_configs, or in wgmma_configs, which are for float8 only.
struct Pair {
  bool is_wgmma;
  std::size_t up, down;
  Sum sum = Sum::slots;

  constexpr int rows() const { return is_wgmma ? wgmma_configs[up].rows : stream_configs[up].rows; }
};

// The stream kernel finds the rows of x by itself; for wgmma they are sorted when they are quantised.
constexpr auto all_pairs = std::to_array<Pair>({
    {false, 0, 0},
    {false, 0, 0, Sum::atomic},
    {false, 1, 1},
    {false, 1, 1, Sum::atomic},
    {true, 0, 2},
    {true, 0, 2, Sum::atomic},
    {true, 1, 3},
    {true, 1, 3, Sum::atomic},
    {true, 1, 4},
    {true, 1, 4, Sum::atomic},
});

constexpr bool tiles_have_the_same_rows() {
  for (const Pair& pair : all_pairs)
    if (pair.is_wgmma && (wgmma_configs[pair.up].rows != wgmma_configs[pair.down].rows ||
                          pair.up >= gated_configs || pair.down < gated_configs))
      return false;
  return true;
}
static_assert(tiles_have_the_same_rows());

/// "r16_levels_stream_c64_fused", or "r64_levels_wgmma_c256_s5_wgmma_c128_s8_fused" if the tiles differ.
inline std::string name_of(const Pair& pair) {
  const std::string up = pair.is_wgmma ? name_of(wgmma_configs[pair.up]) : name_of(stream_configs[pair.up]);
  const std::string down =
      pair.is_wgmma ? name_of(wgmma_configs[pair.down]) : name_of(stream_configs[pair.down]);
  return "r" + std::to_string(pair.rows()) + "_levels_" + up + (up == down ? "" : "_" + down) + "_fused" +
         (pair.sum == Sum::atomic ? "_atomic" : "");
}

/// As for bfloat16: the sums run along k in the same order, whatever the tile; with an atomic sum each
/// variant has a class of its own.
inline std::string class_of(const Pair& pair) {
  if (pair.sum == Sum::atomic) return name_of(pair);
  return pair.is_wgmma ? "levels_wgmma" : "levels_stream";
}

}  // namespace adaptive::kernels::fused_moe::levels
