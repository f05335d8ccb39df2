#pragma once

#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/ragged_paged_attention/cuda/halves.cuh"
#include "kernels/ragged_paged_attention/cuda/scoring.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// What the warps that multiply do.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// The 64 rows of a group of warps. A thread has two of them, in the layout of wgmma's result.
template <class N, int head>
class Group {
 public:
  __device__ Group(const DeviceOperands& o, Address base, int group)
      : o_(o), base_(base), group_(group), scoring_(o) {
    for (float& multiplier : multiplier_) multiplier = scoring_.soft_cap > 0 ? 1 : scoring_.factor;
    if (N::takes_turns && group == N::groups - 1) pass_turn();
  }

  __device__ void begin(const Work& work) {
    const Tile& tile = work.tile;
    const int thread = static_cast<int>(threadIdx.x) % 128;
    const int first_row = tile.row + 64 * group_;
    const int end_row = tile.row + tile.rows;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = first_row + thread / 32 * 16 + thread % 32 / 4 + 8 * half;
      const bool exists = row < end_row;
      last_[half] = exists ? tile.position_of(row, o_.group) : -1;
      to_[half] = exists ? static_cast<int>(row_at(o_, tile, work.kv_head, row) / head) : -1;
      largest_[half] = lowest_score;
      total_[half] = 0;
    }
    // All rows of the group see the positions from whole_from_ to before whole_to_.
    whole_to_ = tile.position_of(min(first_row, end_row - 1), o_.group) + 1;
    whole_from_ = first_seen(o_, tile.position_of(min(first_row + 64, end_row) - 1, o_.group));
#pragma unroll
    for (int i = 0; i < head / 2; ++i) out_[i] = 0;
  }

  __device__ void attend(int first_step, int last_step) {
    float score[N::keys / 2];
    unsigned weight[N::keys / 16][4];
    float rescale[2];
    hopper::barrier_wait(base_ + N::queries_full + 8 * group_, queries_parity_);
    queries_parity_ ^= 1;
    if constexpr (N::widens) load_query_scales();
    multiply_keys(score);
    hopper::wgmma_wait<0>();
    hopper::pin(score);
    release(N::keys_empty, keys_step_);
    if (first_step == last_step) release_queries();
    weigh(score, first_step * N::keys, rescale);
    pack(score, weight);
#pragma unroll 1
    for (int step = first_step + 1; step <= last_step; ++step) {
      await_turn();
      multiply_keys(score);
      add_values(weight);
      pass_turn();
      hopper::wgmma_wait<1>();
      hopper::pin(score);
      release(N::keys_empty, keys_step_);
      if (step == last_step) release_queries();
      weigh(score, step * N::keys, rescale);
      hopper::wgmma_wait<0>();
      hopper::pin(out_);
      release(N::values_empty, values_step_);
      if (__any_sync(0xFFFFFFFFu, rescale[0] != 1 || rescale[1] != 1)) {
#pragma unroll
        for (int i = 0; i < head / 2; ++i) out_[i] *= rescale[i / 2 % 2];
      }
      pack(score, weight);
    }
    add_values(weight);
    hopper::wgmma_wait<0>();
    hopper::pin(out_);
    release(N::values_empty, values_step_);
  }

  __device__ void store() {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      total_[half] += __shfl_xor_sync(0xFFFFFFFFu, total_[half], 1);
      total_[half] += __shfl_xor_sync(0xFFFFFFFFu, total_[half], 2);
      const float factor = final_factor(o_, max(to_[half], 0) % o_.q_heads,
                                        largest_[half] * multiplier(half) - shift, total_[half]);
      const int quarter = static_cast<int>(threadIdx.x) % 4;
      std::uint16_t* const to = o_.y + static_cast<long long>(to_[half]) * head + 8 * quarter;
      // Four neighbouring threads exchange their pairs, so that each has 16 bytes in a row.
#pragma unroll
      for (int i = 0; i < head / 32; ++i) {
        unsigned pair[4];
#pragma unroll
        for (int k = 0; k < 4; ++k)
          pair[k] = pack_pair(out_[16 * i + 4 * k + 2 * half] * factor,
                              out_[16 * i + 4 * k + 2 * half + 1] * factor);
        exchange(pair[0], pair[1], 1);
        exchange(pair[2], pair[3], 1);
        exchange(pair[0], pair[2], 2);
        exchange(pair[1], pair[3], 2);
        if (to_[half] >= 0)
          *reinterpret_cast<uint4*>(to + 32 * i) = make_uint4(pair[0], pair[1], pair[2], pair[3]);
      }
    }
  }

 private:
  using Factor = Multiplied<N::widens>;
  /// Weights are at most 2^8 times as large as that of the largest score (weigh() tells why), and float16
  /// then has room for the rest.
  static constexpr float shift = N::widens ? weight_shift - 8 : 0;

  /// Threads whose numbers differ in `bit` swap the one's second number and the other's first.
  __device__ static void exchange(unsigned& first, unsigned& second, int bit) {
    const bool upper = (threadIdx.x & static_cast<unsigned>(bit)) != 0;
    const unsigned got = __shfl_xor_sync(0xFFFFFFFFu, upper ? first : second, bit);
    (upper ? first : second) = got;
  }

  /// Waits until the group before this one has started its products.
  __device__ void await_turn() const {
    if constexpr (N::takes_turns) asm volatile("bar.sync %0, 256;" ::"r"(2 + group_) : "memory");
  }

  __device__ void pass_turn() const {
    if constexpr (N::takes_turns)
      asm volatile("bar.arrive %0, 256;" ::"r"(group_ == N::groups - 1 ? 2 : 3 + group_) : "memory");
  }

  /// Starts the products of the queries and the next step of keys.
  __device__ void multiply_keys(float (&score)[N::keys / 2]) {
    hopper::barrier_wait(base_ + N::keys_full + 8 * stage_of(keys_step_), parity_of(keys_step_));
    const std::uint64_t q = hopper::describe(base_ + 64 * group_ * N::line);
    const std::uint64_t k = hopper::describe(base_ + N::ring_of_keys + stage_of(keys_step_) * N::stage);
    hopper::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < head / 16; ++k16)
      hopper::Multiply<Factor, N::keys>::run(
          score, q + hopper::steps_of(k16 / 4 * N::query_slab + k16 % 4 * 32),
          k + hopper::steps_of(k16 / 4 * N::slab + k16 % 4 * 32), k16 > 0 ? 1 : 0);
    hopper::wgmma_commit();
  }

  /// Starts the products of the weights and the next step of values.
  __device__ void add_values(const unsigned (&weight)[N::keys / 16][4]) {
    hopper::barrier_wait(base_ + N::values_full + 8 * stage_of(values_step_), parity_of(values_step_));
    const std::uint64_t v =
        hopper::describe_rows(base_ + N::ring_of_values + stage_of(values_step_) * N::stage, N::slab);
    hopper::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < N::keys / 16; ++k16)
      hopper::MultiplyRows<Factor, head>::run(out_, weight[k16], v + hopper::steps_of(k16 * 16 * N::line));
    hopper::wgmma_commit();
  }

  /// This warp no longer needs the stage.
  __device__ void release(int empty, int& step) {
    if (threadIdx.x % 32 == 0) hopper::barrier_arrive(base_ + empty + 8 * stage_of(step));
    ++step;
  }

  // Two stages; a ring with a stage and a parity of its own would take two registers for each.
  static_assert(N::stages == 2);
  __device__ static int stage_of(int step) {
    return step & 1;
  }
  __device__ static int parity_of(int step) {
    return step >> 1 & 1;
  }

  __device__ float multiplier(int half) const {
    return multiplier_[N::widens ? half : 0];
  }

  /// Of this thread's rows.
  __device__ void load_query_scales() {
    const int row =
        64 * group_ + static_cast<int>(threadIdx.x) % 128 / 32 * 16 + static_cast<int>(threadIdx.x) % 32 / 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int bits = hopper::load_shared_int(base_ + N::query_scales + 4 * (row + 8 * half));
      query_scale_[half] = __int_as_float(bits);
      if (!(scoring_.soft_cap > 0)) multiplier_[half] = scoring_.factor * query_scale_[half];
    }
  }

  __device__ void release_queries() {
    if (N::query_lanes == 32 || threadIdx.x % 32 == 0)
      hopper::barrier_arrive(base_ + N::queries_empty + 8 * group_);
  }

  /// Products become weights; `rescale` is what the earlier results of the rows have to be multiplied by.
  __device__ void weigh(float (&score)[N::keys / 2], int position, float (&rescale)[2]) {
    if (scoring_.soft_cap > 0) {
#pragma unroll
      for (int i = 0; i < N::keys / 2; ++i)
        score[i] = scoring_.capped(N::widens ? score[i] * query_scale_[i / 2 % 2] : score[i]);
    }
    if (position < whole_from_ || position + N::keys > whole_to_) {
      const int own = position + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
      for (int i = 0; i < N::keys / 2; ++i) {
        const int at = own + i / 4 * 8 + i % 2;
        const int last = last_[i / 2 % 2];
        if (at > last || at <= last - o_.window) score[i] = -INFINITY;
      }
    }
    // Two chains for each row, because a warp has little else to do meanwhile.
    float top[2][2] = {{largest_[0], lowest_score}, {largest_[1], lowest_score}};
#pragma unroll
    for (int i = 0; i < N::keys / 2; i += 2) {
      float& chain = top[i / 2 % 2][i / 4 % 2];
      chain = fmaxf(chain, fmaxf(score[i], score[i + 1]));
    }
    float offset[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float now = fmaxf(top[half][0], top[half][1]);
      now = fmaxf(now, __shfl_xor_sync(0xFFFFFFFFu, now, 1));
      now = fmaxf(now, __shfl_xor_sync(0xFFFFFFFFu, now, 2));
      // Weights up to 256 are as precise as those up to 1, so a small rise changes nothing.
      now = (now - largest_[half]) * multiplier(half) > 8 ? now : largest_[half];
      rescale[half] = power_of_two((largest_[half] - now) * multiplier(half));
      largest_[half] = now;
      offset[half] = now * multiplier(half) - shift;
    }
    float sum[2][2] = {};
#pragma unroll
    for (int i = 0; i < N::keys / 2; i += 2) {
      const int half = i / 2 % 2;
      score[i] = power_of_two(fmaf(score[i], multiplier(half), -offset[half]));
      score[i + 1] = power_of_two(fmaf(score[i + 1], multiplier(half), -offset[half]));
      sum[half][i / 4 % 2] += score[i] + score[i + 1];
    }
#pragma unroll
    for (int half = 0; half < 2; ++half)
      total_[half] = total_[half] * rescale[half] + (sum[half][0] + sum[half][1]);
  }

  /// The layout of wgmma's result is that of its first operand.
  __device__ static void pack(const float (&score)[N::keys / 2], unsigned (&weight)[N::keys / 16][4]) {
#pragma unroll
    for (int i = 0; i < N::keys / 16; ++i)
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const float low = score[8 * i + 2 * k], high = score[8 * i + 2 * k + 1];
        weight[i][k] = N::widens ? pack_halves(low, high) : pack_pair(low, high);
      }
  }

  const DeviceOperands& o_;
  Address base_;
  int group_;
  Scoring scoring_;
  float multiplier_[N::widens ? 2 : 1];  ///< for float8, of each row of this thread
  float query_scale_[2];                 ///< for float8
  int whole_from_, whole_to_;
  int last_[2];  ///< positions
  int to_[2];    ///< rows of y; -1: none
  float largest_[2], total_[2];
  float out_[head / 2];
  int keys_step_ = 0, values_step_ = 0;  ///< of all works
  int queries_parity_ = 0;
};

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
