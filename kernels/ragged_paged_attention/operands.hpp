#pragma once

#include <cstdint>

// ragged_paged_attention: causal attention of one step of a serving engine. The step has the new tokens of a
// batch of sequences: chunks of prompts (prefill) and single tokens of answers (decode), side by side. The
// keys and values of earlier tokens are in a paged cache. A launch writes those of the new tokens to the
// cache, and computes the attention of every new token.
//
//   score(j) = scale * q . key(j);  with a soft cap: cap * tanh(score / cap)
//   y        = sum over j of exp(score(j)) * value(j) / (exp(sink) + sum over j of exp(score(j)))
//
// j runs over the positions that a token sees: its own and those before it, of which only the last `window`
// if there is a window. A head's sink is a logit without a value; without sinks the term is left out. Each
// key/value head serves a group of q_heads / kv_heads query heads.
//
// Shape. Each dimension is a part of the key because it changes which variant is the fastest, or by how much:
//   tokens      new tokens of all sequences. Decides between bandwidth (decode) and arithmetic (prefill).
//   sequences   slots of the batch; 32 tokens are a chunk of one prompt or the next tokens of 32 answers. A
//               slot may have no new token.
//   context     tokens of the longest sequence, new ones included. Decides whether splits along the keys pay.
//   q_heads, kv_heads, head_size, page_size     constant in a model: they add no keys to a program's own.
//   window      0: none. Likewise constant, or two values in models whose layers alternate.
//   scores      plain, soft_cap, sinks, or both. Constant in a model. A soft cap adds a tanh to each score,
//   so
//               the latencies of one kind say little about those of another.
//   dtype       of the cache. float32 and bfloat16: queries and new tokens have the same type. float8_e4m3:
//               they are bfloat16, and the cache has value / scale, rounded to the nearest
//               (common/float8.hpp).
// Three values differ from step to step: tokens, sequences and context. Round them up to powers of two, as
// engines pad a batch: then a program meets a few dozen keys, and exploring them is worthwhile. The lengths
// of the other sequences are not in the key: they change from step to step, so no key with them would come
// twice, and every variant divides its work by the lengths that it finds in a launch. Latencies of one key
// vary by as much as the sum of the lengths does.
//
// Layout, the same for every backend:
//   q            [tokens][q_heads][head_size]
//   new_keys     [tokens][kv_heads][head_size]; new_values likewise
//   key_cache    [pages][kv_heads][page_size][head_size]; value_cache likewise
//   page_table   [sequences][pages_per_sequence]: the page of position p is entry p / page_size. Entries of
//                pages that no new token sees are not read: engines free pages behind a window.
//   first_token  [sequences + 1]: sequence s has the new tokens [first_token[s], first_token[s + 1])
//   contexts     [sequences]: tokens of a sequence, of which the new ones are the last
//   sinks        [q_heads], or null
//   y            [tokens][q_heads][head_size], float32
// Only positions that a new token sees are read. Sums are in float32 and the largest score is subtracted
// before the exponential. head_size is 64, 128 or 256; page_size is a multiple of 16 from 16 to 256; a group
// has at most 128 query heads.

namespace adaptive::kernels::ragged_paged_attention {

enum class Type : std::int64_t { float32, bfloat16, float8_e4m3 };  ///< in the order of the labels of `dtype`
enum class Scores : std::int64_t { plain, soft_cap, sinks, soft_cap_sinks };  ///< likewise of `scores`

inline constexpr std::int64_t group_max = 128;
inline constexpr std::int64_t head_size_max = 256;

/// The memory that every backend of this family reads and writes. It has only pointers, because files
/// compiled for wider instruction sets must not instantiate shared inline functions.
struct Operands {
  std::int64_t tokens, sequences, q_heads, kv_heads, head_size, page_size, pages_per_sequence;
  std::int64_t window;  ///< at least the longest context if there is none
  Type type;
  float scale;
  float soft_cap;          ///< 0: none
  float k_scale, v_scale;  ///< a key is what the cache has times k_scale; 1 unless the cache is float8
  const void* q;           ///< float or std::uint16_t (bfloat16)
  const void* new_keys;    ///< of the type of q
  const void* new_values;
  void* key_cache;  ///< float, std::uint16_t or std::uint8_t by `type`
  void* value_cache;
  const std::int32_t* page_table;
  const std::int32_t* first_token;
  const std::int32_t* contexts;
  const float* sinks;
  float* y;
};

}  // namespace adaptive::kernels::ragged_paged_attention
