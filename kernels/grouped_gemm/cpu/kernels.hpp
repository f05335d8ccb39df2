#pragma once

#include <cstdint>

#include "kernels/grouped_gemm/operands.hpp"

// The entry points of the files in this folder. Each computes some columns of some groups.

namespace adaptive::kernels::grouped_gemm {

/// Columns and depth of the weights that are used at once: 128 * 512 floats stay in the second-level cache.
inline constexpr std::int64_t panel_columns = 128;
inline constexpr std::int64_t panel_depth = 512;

/// Number of columns of W that are stored together when packed.
inline constexpr std::int64_t block_columns = 16;

struct Scratch {
  /// float32, created by prepare(): for group g its tiles of `tile` rows, starting at row tile tile_rows[g].
  /// Each tile is [k_stride][tile] with the rows interleaved; for a tile of one row it is x itself as
  /// float32.
  const float* x_tiles;
  const std::int64_t* tile_rows;  ///< [group_count]
  /// W packed as [experts][ceil(n / 16)][k_stride][16], created with the problem; null if no variant needs
  /// it.
  const void* packed;
  float* panels;  ///< [2][panel_columns * panel_depth]: one per thread
};

/// Groups [group_begin, group_end) and blocks of 16 columns [block_begin, block_end), for thread 0 or 1.
struct Share {
  std::int64_t group_begin, group_end, block_begin, block_end;
  int thread;
};

using Kernel = void (*)(const Operands&, const Scratch&, Share) noexcept;

void eigen_experts(const Operands&, const Scratch&, Share) noexcept;
void packed2_portable(const Operands&, const Scratch&, Share) noexcept;

void rows1_avx2(const Operands&, const Scratch&, Share) noexcept;
void packed1_avx2(const Operands&, const Scratch&, Share) noexcept;
void packed6_avx2(const Operands&, const Scratch&, Share) noexcept;

void rows1_avx512(const Operands&, const Scratch&, Share) noexcept;
void rows4_avx512(const Operands&, const Scratch&, Share) noexcept;
void packed1_avx512(const Operands&, const Scratch&, Share) noexcept;
void packed4_avx512(const Operands&, const Scratch&, Share) noexcept;
void packed8_avx512(const Operands&, const Scratch&, Share) noexcept;
void packed12_avx512(const Operands&, const Scratch&, Share) noexcept;
void repack12_avx512(const Operands&, const Scratch&, Share) noexcept;

}  // namespace adaptive::kernels::grouped_gemm
