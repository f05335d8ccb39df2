#pragma once

#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <cstdint>

#include "kernels/ragged_paged_attention/cuda/kernels.hpp"

// How kernels find their work in the batch, and the elements of the cache.

namespace adaptive::kernels::ragged_paged_attention {

/// The last sequence whose `begin(sequence)` is at most `at`; `begin` rises. All lanes of a warp call it;
/// each round tests 32 sequences.
template <class F>
__device__ int find_sequence(int sequences, int at, const F& begin) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  int low = 0;
  int count = sequences;
  while (count > 1) {
    const int step = (count + 31) / 32;
    const int each = lane * step;
    const bool reached = each < count && begin(low + each) <= at;
    const int last = max(__popc(__ballot_sync(0xFFFFFFFFu, reached)) - 1, 0);
    low += last * step;
    count = min(step, count - last * step);
  }
  return low;
}

/// The sequence of a new token; all lanes of a warp call it.
__device__ inline int sequence_of(const DeviceOperands& o, int token) {
  // Sequences without new tokens begin where the next one begins, and the last one that does has the token.
  return find_sequence(o.sequences, token, [&](int s) { return o.first_token[s]; });
}

/// Some rows of a sequence.
struct Tile {
  int sequence = 0;
  int first_token = 0;  ///< of the sequence
  int tokens = 0;       ///< new ones of the sequence
  int past = 0;         ///< tokens of the sequence before the new ones
  int row = 0;          ///< the first row of the tile
  int rows = 0;         ///< 0: there is nothing to do

  __device__ int position_of(int of_row, int group) const { return past + of_row / group; }
};

__device__ inline int first_seen(const DeviceOperands& o, int position) {
  return max(position - o.window + 1, 0);
}

/// The tile with this number, of those that tile_count() counts. All lanes of a warp call it.
template <int height>
__device__ Tile find_tile(const DeviceOperands& o, RowRange range, int number) {
  Tile tile;
  int first = number;  // number of the sequence's first tile
  if (static_cast<long long>(o.most_tokens) * o.group <= height) {
    tile.sequence = number;
  } else {
    // A sequence's tiles begin at a number that its first token alone decides; there is room for one more
    // tile than complete ones.
    const auto begin = [&](int s) {
      return static_cast<int>(static_cast<unsigned>(o.first_token[s] * o.group) / height) + s;
    };
    tile.sequence = find_sequence(o.sequences, number, begin);
    first = begin(tile.sequence);
  }
  tile.first_token = o.first_token[tile.sequence];
  tile.tokens = o.first_token[tile.sequence + 1] - tile.first_token;
  tile.past = o.contexts[tile.sequence] - tile.tokens;
  const int all = tile.tokens * o.group;
  tile.row = (number - first) * height;
  tile.rows = all < range.least || all > range.most ? 0 : max(min(all - tile.row, height), 0);
  return tile;
}

/// The element of y, and of q, at which a row begins.
__device__ inline long long row_at(const DeviceOperands& o, const Tile& tile, int kv_head, int row) {
  const long long token = tile.first_token + row / o.group;
  return (token * o.q_heads + kv_head * o.group + row % o.group) * o.head_size;
}

/// The element of the cache at which a position of a sequence and a head begins.
__device__ inline long long place_of(const DeviceOperands& o, int sequence, int kv_head, int position) {
  const long long page =
      o.page_table[static_cast<long long>(sequence) * o.pages_per_sequence + position / o.page_size];
  return ((page * o.kv_heads + kv_head) * o.page_size + position % o.page_size) * o.head_size;
}

__device__ inline float from_bits(std::uint16_t bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

__device__ inline std::uint16_t to_bits(float value) {
  return __bfloat16_as_ushort(__float2bfloat16_rn(value));
}

__device__ inline std::uint8_t to_float8(float value) {
  return __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3);
}

__device__ inline float load_cached(const void* cache, bool float8, long long at) {
  if (!float8) return from_bits(static_cast<const std::uint16_t*>(cache)[at]);
  __nv_fp8_e4m3 value;
  value.__x = static_cast<const std::uint8_t*>(cache)[at];
  return static_cast<float>(value);
}

/// Rounds 8 elements of a new token's key or value to float8; `scale` is the cache's.
__device__ inline uint2 rounded_to_float8(const uint4& eight, float scale) {
  const unsigned pairs[4] = {eight.x, eight.y, eight.z, eight.w};
  unsigned out[2] = {};
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const auto bits = static_cast<std::uint16_t>(pairs[i / 2] >> (i % 2 * 16));
    out[i / 4] |= static_cast<unsigned>(to_float8(from_bits(bits) / scale)) << (i % 4 * 8);
  }
  return make_uint2(out[0], out[1]);
}

/// Stores 8 elements of a new token's key or value in the cache.
__device__ inline void store_eight(const uint4& eight, void* cache, bool float8, long long at, float scale) {
  if (float8)
    *reinterpret_cast<uint2*>(static_cast<std::uint8_t*>(cache) + at) = rounded_to_float8(eight, scale);
  else
    *reinterpret_cast<uint4*>(static_cast<std::uint16_t*>(cache) + at) = eight;
}

}  // namespace adaptive::kernels::ragged_paged_attention
