#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/ragged_paged_attention/cuda/config.hpp"
#include "kernels/ragged_paged_attention/operands.hpp"

// The library's own kernels, as the host calls them. No launch waits or allocates; each function returns
// CUDA's status.

namespace adaptive::kernels::ragged_paged_attention {

/// The operands of ../operands.hpp on a GPU: queries, new keys and values and y are bfloat16, the cache is
/// bfloat16 or float8.
struct DeviceOperands {
  int tokens = 0, sequences = 0, q_heads = 0, kv_heads = 0, group = 0, head_size = 0;
  int page_size = 0, pages_per_sequence = 0;
  int window = 0;   ///< at least the longest context if there is none
  int context = 0;  ///< the longest one
  int most_tokens =
      0;  ///< new tokens of the sequence that has most; the host has made the batch, so it knows
  bool float8 = false;
  float scale = 1, soft_cap = 0, k_scale = 1, v_scale = 1;
  const std::uint16_t *q = nullptr, *new_keys = nullptr, *new_values = nullptr;
  void *key_cache = nullptr, *value_cache = nullptr;
  const std::int32_t *page_table = nullptr, *first_token = nullptr, *contexts = nullptr;
  const float* sinks = nullptr;
  std::uint16_t* y = nullptr;
};

/// Which sequences a kernel computes: those with this many rows for each key/value head.
struct RowRange {
  int least, most;
};
constexpr int rows_unlimited = 0x7FFFFFFF;

/// Memory for the results of parts, until the last block of a tile joins them.
struct Parts {
  float* out = nullptr;     ///< [tiles][kv_heads][parts][rows][head_size]
  float2* state = nullptr;  ///< [tiles][kv_heads][parts][rows]: largest score and sum
  int* arrived = nullptr;   ///< [tiles][kv_heads]: parts that are done; 0 between launches
};

/// Number of tiles of `height` rows for which a launch has blocks. Tiles of a sequence follow each other;
/// some may be empty, because the host does not ask for the number of tokens of each sequence.
constexpr std::int64_t tile_count(const DeviceOperands& o, int height) {
  if (std::int64_t{o.most_tokens} * o.group <= height) return o.sequences;
  return std::int64_t{o.tokens} * o.group / height + o.sequences;
}

/// Rows of one part of a tile.
constexpr int part_rows(const DeviceOperands& o) {
  const std::int64_t rows = std::int64_t{o.most_tokens} * o.group;
  return rows < rows_height ? static_cast<int>(rows) : rows_height;
}

/// Parts of a tile of 16 rows, at most. The first part begins at a multiple of 16.
constexpr int part_count(const DeviceOperands& o, int part) {
  if (part == 0) return 1;
  const std::int64_t behind = std::int64_t{o.window} + (rows_height - 2 + o.group) / o.group + 15;
  const std::int64_t seen = behind < o.context ? behind : o.context;
  return static_cast<int>((seen + part - 1) / part);
}

/// Writes the new tokens' keys and values to the cache. It may overlap (cuda::LaunchSize) on compute
/// capability 9.0 or higher.
cudaError_t launch_store(const DeviceOperands& operands, bool overlaps, cudaStream_t stream) noexcept;

/// Runs any batch whose new tokens are in the cache. The default if nothing better is known.
cudaError_t launch_plain(const DeviceOperands& operands, cudaStream_t stream) noexcept;

// One instantiation for each type of the cache, in a file of its own. Call the function prepare_…() once for
// each device before the first launch.

/// Runs `rows_configs[index]`. With `stores`, the kernel also writes the new tokens to the cache, for which
/// no sequence may have more than one new token, and no group more than 16 heads. With `overlaps` it may
/// begin while the kernel before it still runs.
template <bool float8>
cudaError_t prepare_rows(std::size_t index, int head_size) noexcept;
template <bool float8>
cudaError_t launch_rows(std::size_t index, const DeviceOperands& operands, RowRange range, const Parts& parts,
                        bool stores, bool overlaps, cudaStream_t stream) noexcept;

/// Runs `tiles_configs[index]`.
template <bool float8>
cudaError_t prepare_tiles(std::size_t index, int head_size) noexcept;
template <bool float8>
cudaError_t launch_tiles(std::size_t index, const DeviceOperands& operands, RowRange range,
                         cudaStream_t stream) noexcept;

/// The caches of bfloat16 for the copy engine, as [pages * kv_heads * page_size][head_size] in boxes of
/// wgmma_box_rows rows and 64 columns. Kernels for float8 do not use them.
struct CacheMaps {
  CUtensorMap keys, values;
};

/// Runs `wgmma_configs[index]`. `counter` has two numbers, which are 0 between launches; launches that share
/// it must not overlap.
template <bool float8>
cudaError_t prepare_wgmma(std::size_t index, int head_size) noexcept;
template <bool float8>
cudaError_t launch_wgmma(std::size_t index, const CacheMaps& maps, const DeviceOperands& operands,
                         RowRange range, int* counter, int multiprocessors, cudaStream_t stream) noexcept;

// For problems.

/// Uniform in [-size, size), rounded to bfloat16.
cudaError_t fill_uniform(std::uint16_t* data, std::int64_t count, float size, std::uint64_t seed,
                         cudaStream_t stream) noexcept;

/// Random keys and values for the earlier positions that a new token sees. All else must be filled before.
cudaError_t fill_cache(const DeviceOperands& operands, std::uint64_t seed, cudaStream_t stream) noexcept;

/// Fills the cache's places of the new tokens with what is not a number.
cudaError_t poison_new_tokens(const DeviceOperands& operands, cudaStream_t stream) noexcept;

/// Adds to `wrong` the number of elements of the cache that differ from the new tokens' keys and values.
cudaError_t count_wrong(const DeviceOperands& operands, unsigned* wrong, cudaStream_t stream) noexcept;

/// An element of the output in double, and the sum of the magnitudes of its terms.
struct ExpectedValue {
  double value, magnitude;
};

/// Computes `count` rows of the output in double: to[count][head_size]. rows[i] is token * q_heads + head.
/// The cache must have the new tokens.
cudaError_t compute_rows(const DeviceOperands& operands, const std::int64_t* rows, std::int64_t count,
                         ExpectedValue* to, cudaStream_t stream) noexcept;

}  // namespace adaptive::kernels::ragged_paged_attention
