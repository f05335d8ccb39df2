#pragma once

#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/ragged_paged_attention/cuda/scoring.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/values.cuh"

// What the warps that multiply do.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// The 64 rows of a group of warps. A thread has two of them, in the layout of wgmma's result.
template <class N, int head>
class Group {
 public:
  __device__ Group(const DeviceOperands& o, Address base, int group)
      : o_(o), base_(base), group_(group), scoring_(o) {
    multiplier_ = scoring_.soft_cap > 0 ? 1 : scoring_.factor;
  }

  __device__ void begin(const Work& work) {
    const Tile& tile = work.tile;
    const int thread = static_cast<int>(threadIdx.x) % 128;
    const int first_row = tile.row + 64 * group_;
    tile_ = tile;
    kv_head_ = work.kv_head;
    end_row_ = tile.row + tile.rows;
    own_row_ = first_row + thread / 32 * 16 + thread % 32 / 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = own_row_ + 8 * half;
      last_[half] = row < end_row_ ? tile.position_of(row, o_.group) : -1;
      first_[half] = row < end_row_ ? first_seen(o_, last_[half]) : 0;
      largest_[half] = lowest_score;
      total_[half] = 0;
    }
    // All rows of the group see the positions from whole_from_ to before whole_to_.
    whole_to_ = tile.position_of(min(first_row, end_row_ - 1), o_.group) + 1;
    whole_from_ = first_seen(o_, tile.position_of(min(first_row + 64, end_row_) - 1, o_.group));
#pragma unroll
    for (int i = 0; i < head / 2; ++i) out_[i] = 0;
  }

  __device__ void attend(int first_step, int last_step) {
    float score[N::keys / 2];
    unsigned weight[N::keys / 16][4];
    float rescale[2];
    if constexpr (N::config.resident) {
      hopper::barrier_wait(base_ + N::queries_full, queries_parity_);
      queries_parity_ ^= 1;
    }
    multiply_keys(score);
    hopper::wgmma_wait<0>();
    hopper::pin(score);
    release(N::keys_empty, keys_ring_);
    if (first_step == last_step) release_queries();
    weigh(score, first_step * N::keys, rescale);
    pack(score, weight);
#pragma unroll 1
    for (int step = first_step + 1; step <= last_step; ++step) {
      multiply_keys(score);
      add_values(weight);
      hopper::wgmma_wait<1>();
      hopper::pin(score);
      release(N::keys_empty, keys_ring_);
      if (step == last_step) release_queries();
      weigh(score, step * N::keys, rescale);
      hopper::wgmma_wait<0>();
      hopper::pin(out_);
      release(N::values_empty, values_ring_);
#pragma unroll
      for (int i = 0; i < head / 2; ++i) out_[i] *= rescale[i / 2 % 2];
      pack(score, weight);
    }
    add_values(weight);
    hopper::wgmma_wait<0>();
    hopper::pin(out_);
    release(N::values_empty, values_ring_);
  }

  __device__ void store() {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      total_[half] += __shfl_xor_sync(0xFFFFFFFFu, total_[half], 1);
      total_[half] += __shfl_xor_sync(0xFFFFFFFFu, total_[half], 2);
      const int row = own_row_ + 8 * half;
      if (row >= end_row_) continue;
      const float factor =
          final_factor(o_, kv_head_ * o_.group + row % o_.group, largest_[half] * multiplier_, total_[half]);
      std::uint16_t* const to =
          o_.y + row_at(o_, tile_, kv_head_, row) + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
      for (int i = 0; i < head / 8; ++i)
        *reinterpret_cast<unsigned*>(to + 8 * i) =
            pack_pair(out_[4 * i + 2 * half] * factor, out_[4 * i + 2 * half + 1] * factor);
    }
  }

 private:
  /// Starts the products of the queries and the next step of keys.
  __device__ void multiply_keys(float (&score)[N::keys / 2]) {
    hopper::barrier_wait(base_ + N::keys_full + 8 * keys_ring_.stage, keys_ring_.parity);
    const std::uint64_t q = hopper::describe(base_ + 64 * group_ * N::line);
    const std::uint64_t k = hopper::describe(base_ + N::ring_of_keys + keys_ring_.stage * N::stage);
    hopper::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < head / 16; ++k16)
      hopper::Multiply<__nv_bfloat16, N::keys>::run(
          score, q + hopper::steps_of(k16 / 4 * N::query_slab + k16 % 4 * 32),
          k + hopper::steps_of(k16 / 4 * N::slab + k16 % 4 * 32), k16 > 0 ? 1 : 0);
    hopper::wgmma_commit();
  }

  /// Starts the products of the weights and the next step of values.
  __device__ void add_values(const unsigned (&weight)[N::keys / 16][4]) {
    hopper::barrier_wait(base_ + N::values_full + 8 * values_ring_.stage, values_ring_.parity);
    const std::uint64_t v = describe_rows(base_ + N::ring_of_values + values_ring_.stage * N::stage, N::slab);
    hopper::wgmma_fence();
#pragma unroll
    for (int k16 = 0; k16 < N::keys / 16; ++k16)
      MultiplyValues<head>::run(out_, weight[k16], v + hopper::steps_of(k16 * 16 * N::line));
    hopper::wgmma_commit();
  }

  /// This warp no longer needs the stage.
  __device__ void release(int empty, hopper::Ring& ring) {
    if (threadIdx.x % 32 == 0) hopper::barrier_arrive(base_ + empty + 8 * ring.stage);
    ring.advance(N::stages);
  }

  __device__ void release_queries() {
    if (N::config.resident && threadIdx.x % 32 == 0) hopper::barrier_arrive(base_ + N::queries_empty);
  }

  /// Products become weights; `rescale` is what the earlier results of the rows have to be multiplied by.
  __device__ void weigh(float (&score)[N::keys / 2], int position, float (&rescale)[2]) {
    if (scoring_.soft_cap > 0) {
#pragma unroll
      for (int i = 0; i < N::keys / 2; ++i) score[i] = scoring_.capped(score[i]);
    }
    if (position < whole_from_ || position + N::keys > whole_to_) {
      const int own = position + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
      for (int i = 0; i < N::keys / 2; ++i) {
        const int at = own + i / 4 * 8 + i % 2;
        if (at < first_[i / 2 % 2] || at > last_[i / 2 % 2]) score[i] = -INFINITY;
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
      rescale[half] = power_of_two((largest_[half] - now) * multiplier_);
      largest_[half] = now;
      offset[half] = now * multiplier_;
    }
    float sum[2][2] = {};
#pragma unroll
    for (int i = 0; i < N::keys / 2; i += 2) {
      const int half = i / 2 % 2;
      score[i] = power_of_two(fmaf(score[i], multiplier_, -offset[half]));
      score[i + 1] = power_of_two(fmaf(score[i + 1], multiplier_, -offset[half]));
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
      for (int k = 0; k < 4; ++k) weight[i][k] = pack_pair(score[8 * i + 2 * k], score[8 * i + 2 * k + 1]);
  }

  const DeviceOperands& o_;
  Address base_;
  int group_;
  Scoring scoring_;
  float multiplier_;
  Tile tile_;
  int kv_head_;
  int end_row_, own_row_;
  int whole_from_, whole_to_;
  int first_[2], last_[2];
  float largest_[2], total_[2];
  float out_[head / 2];
  hopper::Ring keys_ring_, values_ring_;
  int queries_parity_ = 0;
};

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
