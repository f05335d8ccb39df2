#pragma once

#include <cstdint>

#include "kernels/ragged_paged_attention/operands.hpp"

// The entry points of the files in this folder. Each computes the unnormalised attention of some query rows.

namespace adaptive::kernels::ragged_paged_attention {

/// Keys that a kernel scores before it uses their values, at most; a multiple of every page size that is a
/// power of two.
inline constexpr std::int64_t keys_max = 256;
/// Rows that a kernel of panels computes at once, at most.
inline constexpr std::int64_t tile_max = 12;
/// Rows whose scores a kernel has at once, at most.
inline constexpr std::int64_t scores_max = 128;

/// Query heads of one key/value head for consecutive new tokens of a sequence, and a range of the positions
/// that they see. Row r is head r % group of token r / group.
struct Item {
  std::int64_t sequence, kv_head;
  std::int64_t first_token, tokens;  ///< first_token counts from the step's first token
  std::int64_t position;             ///< of the first token, in its sequence
  std::int64_t begin, end;           ///< positions; a row skips those that it does not see
};

/// The memory of one thread. There are tokens * group rows; memory for tile_max further ones follows.
struct Scratch {
  float* q;       ///< [rows][head_size], filled before the kernel runs; further rows are zero
  float* scores;  ///< [scores_max][keys_max]
  float* keys;    ///< [keys_max][head_size]
  float* values;  ///< likewise
  // The result. A kernel initialises it.
  float* out;      ///< [rows][head_size]: sum of weight * value
  float* largest;  ///< [rows]: largest score, or lowest_score if the row sees nothing
  float* sum;      ///< [rows]: sum of the weights, which are exp(score - largest)
};

/// Less than every score, and finite, so that the difference of two such numbers is 0.
inline constexpr float lowest_score = -1e30F;

/// `keys` is the number of keys of a block, at most keys_max. Blocks begin at multiples of it, so that the
/// order of additions does not depend on the item.
using Kernel = void (*)(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;

/// Products by Eigen, for the default. `keys` is at most 128.
void eigen_blocks(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;

// rows: items of one token. Lanes are along the head. The cache is read as it is, once for a tile of heads.
void rows2_portable(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;
void rows2_avx2(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;
void rows4_avx512(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;
/// Scores by products of pairs of bfloat16; for bfloat16 caches. Reads the queries as they are stored.
void rows4_avx512_bf16(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;

// panels: the keys of a block are transposed, once for all rows of the item. Lanes are along the keys.
void panel6_avx2(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;
void panel12_avx512(const Operands&, const Item&, const Scratch&, std::int64_t keys) noexcept;

}  // namespace adaptive::kernels::ragged_paged_attention
