#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"
#include "kernels/ragged_paged_attention/operands.hpp"

namespace adaptive::kernels::ragged_paged_attention {

/// Kernels of this folder, and how a launch divides the work.
struct Method {
  Kernel rows;    ///< for one token at a time; null: `panels` does all
  Kernel panels;  ///< for blocks of tokens; null: `rows` does all. With both, `rows` does single tokens
  std::int64_t queries;  ///< tokens of a block
  std::int64_t keys;     ///< keys of a block
  std::int64_t split;    ///< positions of a part of the keys of one token, a multiple of keys; 0: no parts
  int threads;
};

/// Tokens of a block, at most.
inline constexpr std::int64_t queries_max = 64;

/// Plans of launches, and the scratch memory of this folder's kernels. Only one thread at a time may use a
/// workspace.
class Workspace {
 public:
  /// `split_min`: the smallest split that a method will have; 0: none has any.
  Workspace(const Operands& operands, std::int64_t split_min);

  /// Writes the new tokens to the cache, and computes the whole output. `operands` are those of the
  /// constructor. Never allocates.
  void run(const Operands& operands, const Method& method) noexcept;

  /// Bytes of the results of parts.
  static std::uint64_t part_bytes(std::int64_t tokens, std::int64_t q_heads, std::int64_t head_size,
                                  std::int64_t context, std::int64_t split);

 private:
  struct Work {
    Item item;
    Kernel kernel;
    std::int64_t part;  ///< where the result goes: -1: to y
  };
  /// The parts of one token and key/value head.
  struct Join {
    std::int64_t token, kv_head, part, parts;
  };

  void plan(const Operands& operands, const Method& method) noexcept;
  void plan_token(const Operands& operands, const Method& method, Item item) noexcept;
  void run_work(const Operands& operands, const Method& method, const Work& work, int thread) noexcept;
  void join(const Operands& operands, const Join& join) noexcept;
  Scratch scratch(int thread) noexcept;

  std::int64_t group_ = 0, head_size_ = 0, rows_max_ = 0;
  std::vector<Work> works_;   // reserved for the most that there can be
  std::vector<Join> joins_;   // likewise
  std::int64_t parts_ = 0;    // of the current plan
  Buffer<float> part_out_;    // [parts][group][head_size]
  Buffer<float> part_state_;  // [parts][group][2]: largest score and sum
  struct Thread {
    Buffer<float> q, scores, keys, values, out, largest, sum;
  };
  std::array<Thread, 2> threads_;
};

}  // namespace adaptive::kernels::ragged_paged_attention
