#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

// The variants of our own kernel and what each needs. Needs no CUDA.

namespace adaptive::kernels::mixed_bit_matmul {

/// A block of threads computes some blocks of 16 rows of W with a tile of tokens. Each block of rows has as
/// many warps as there are parts of k. Blocks of rows side by side read the same activations, through the
/// first cache: with 16 tokens and more these are more bytes than the weights.
struct Config {
  int tokens;  ///< of a tile, a multiple of 8
  int parts;   ///< of k
  int blocks;  ///< of 16 rows
  int words;   ///< of weights that a lane has in flight: so many groups of 64 columns as these are

  constexpr int warps() const { return parts * blocks; }
};

constexpr std::array<Config, 12> mma_configs = {{
    {8, 4, 1, 16},
    {8, 4, 1, 32},
    {8, 8, 1, 16},
    {8, 8, 1, 32},
    {8, 16, 1, 16},
    {16, 8, 1, 16},
    {16, 4, 2, 16},
    {16, 4, 4, 16},
    {32, 4, 2, 8},
    {32, 4, 4, 8},
    {64, 4, 2, 8},
    {64, 2, 4, 8},
}};

inline std::string name_of(const Config& config) {
  return "mma_t" + std::to_string(config.tokens) + "_k" + std::to_string(config.parts) + "_b" +
         std::to_string(config.blocks) + "_l" + std::to_string(config.words);
}

/// Variants of one class give the same bits: a sum is cut into so many parts, and which groups each takes
/// depends on their number alone.
inline std::string class_of(const Config& config) {
  return "mma_k" + std::to_string(config.parts);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
