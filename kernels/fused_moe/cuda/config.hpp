#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "kernels/grouped_gemm/cuda/config.hpp"

// The variants on GPUs: pairs of tiles of grouped_gemm's kernels. Needs no CUDA.

namespace adaptive::kernels::fused_moe {

/// A kernel of grouped_gemm by its place in mma_configs or wgmma_configs.
struct Product {
  grouped_gemm::Config::Kernel kernel;
  std::size_t index;

  constexpr bool is_wgmma() const { return kernel == grouped_gemm::Config::Kernel::wgmma; }
  constexpr const grouped_gemm::Config& config() const {
    return is_wgmma() ? grouped_gemm::wgmma_configs[index] : grouped_gemm::mma_configs[index];
  }
};

/// How the rows of a token's experts become its row of y.
enum class Sum {
  slots,   ///< a kernel adds them in float32, in the order of the router's choice
  atomic,  ///< the product adds them in any order, each time rounded to the type of y; Hopper only
};

/// Both products take the same number of rows of an expert at once. The activation is in the epilogue of the
/// first one (`fused`) or a kernel of its own, which rounds gate and up to the type of x.
struct Pair {
  Product up, down;
  bool fused = true;
  Sum sum = Sum::slots;
};

constexpr Product mma(std::size_t index) {
  return {grouped_gemm::Config::Kernel::mma, index};
}
constexpr Product wgmma(std::size_t index) {
  return {grouped_gemm::Config::Kernel::wgmma, index};
}

// mma finds the rows of x by itself; for wgmma a kernel sorts them. So mma before wgmma saves a kernel where
// few rows are multiplied.
constexpr auto all_pairs = std::to_array<Pair>({
    // 16 rows
    {mma(0), mma(0)},
    {mma(1), mma(1)},
    {mma(1), mma(1), false},
    {mma(2), mma(1)},
    {mma(2), mma(2)},
    {mma(1), wgmma(0)},
    {mma(1), wgmma(1)},
    {wgmma(0), wgmma(0)},
    {wgmma(1), wgmma(1)},
    {wgmma(1), wgmma(1), false},
    {mma(0), mma(0), true, Sum::atomic},
    {mma(1), mma(1), true, Sum::atomic},
    {mma(2), mma(1), true, Sum::atomic},
    {mma(1), wgmma(0), true, Sum::atomic},
    {wgmma(1), wgmma(1), true, Sum::atomic},
    // 32 rows
    {mma(5), mma(5)},
    {mma(5), wgmma(2)},
    {mma(5), wgmma(3)},
    {wgmma(2), wgmma(2)},
    {wgmma(3), wgmma(3)},
    {wgmma(3), wgmma(3), false},
    {mma(5), wgmma(3), true, Sum::atomic},
    {wgmma(3), wgmma(3), true, Sum::atomic},
    // 64 rows
    {mma(6), mma(6)},
    {mma(6), wgmma(5)},
    {wgmma(4), wgmma(4)},
    {wgmma(5), wgmma(5)},
    {wgmma(5), wgmma(5), false},
    {wgmma(5), wgmma(5), true, Sum::atomic},
    // 128 rows
    {mma(7), mma(7)},
    {wgmma(6), wgmma(6)},
    {wgmma(7), wgmma(7)},
    {wgmma(8), wgmma(6)},
    {wgmma(8), wgmma(8)},
    {wgmma(8), wgmma(8), false},
    {wgmma(8), wgmma(9)},
    {wgmma(9), wgmma(9)},
    {wgmma(6), wgmma(6), true, Sum::atomic},
    {wgmma(8), wgmma(8), true, Sum::atomic},
    {wgmma(9), wgmma(9), true, Sum::atomic},
    // 256 rows
    {wgmma(10), wgmma(10)},
    {wgmma(11), wgmma(11)},
    {wgmma(11), wgmma(11), false},
    {wgmma(11), wgmma(11), true, Sum::atomic},
});

constexpr bool share_rows() {
  for (const Pair& pair : all_pairs)
    if (pair.up.config().rows != pair.down.config().rows) return false;
  return true;
}
static_assert(share_rows());

inline std::string name_of(const Product& product) {
  const grouped_gemm::Config& config = product.config();
  std::string name = product.is_wgmma() ? "wgmma" : "mma";
  name += "_c" + std::to_string(config.columns) + "_k" + std::to_string(config.depth) + "_s" +
          std::to_string(config.stages);
  if (config.split > 1) name += (product.is_wgmma() ? "_m" : "_x") + std::to_string(config.split);
  return name;
}

/// "r16_mma_c64_k128_s5_fused", or "r16_mma_c32_k128_s5_mma_c64_k128_s5_apart" if the tiles differ.
inline std::string name_of(const Pair& pair) {
  const std::string up = name_of(pair.up), down = name_of(pair.down);
  return "r" + std::to_string(pair.up.config().rows) + "_" + up + (up == down ? "" : "_" + down) +
         (pair.fused ? "_fused" : "_apart") + (pair.sum == Sum::atomic ? "_atomic" : "");
}

/// Variants of one class give the same bits: the classes of both products, and whether gate and up are
/// rounded. With an atomic sum not even two launches do, so each such variant has a class of its own.
inline std::string class_of(const Pair& pair) {
  if (pair.sum == Sum::atomic) return name_of(pair);
  return class_of(pair.up.config()) + "_" + class_of(pair.down.config()) + (pair.fused ? "_fused" : "_apart");
}

}  // namespace adaptive::kernels::fused_moe
