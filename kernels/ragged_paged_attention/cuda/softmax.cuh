#pragma once

#include "kernels/ragged_paged_attention/cuda/halves.cuh"
#include "kernels/ragged_paged_attention/cuda/queries.cuh"
#include "kernels/ragged_paged_attention/cuda/scoring.cuh"
#include "kernels/ragged_paged_attention/cuda/stored.cuh"

// The attention of 16 rows by one warp, with mma.sync and the online softmax. Keys and values are in shared
// memory as they are in the cache: a row for each position, in pieces of 16 bytes whose order changes from
// row to row, so that ldmatrix has no bank conflicts.
//
// float8 becomes float16, exactly, after it is loaded into registers. A register then has four neighbouring
// elements of a head, which are the two pairs that an mma takes: the queries are loaded in the same order,
// and the columns of the result are put into order when they are stored.

namespace adaptive::kernels::ragged_paged_attention {

/// Pairs of float16 from what load_transposed() has of float8: two neighbouring columns of two positions.
/// The pairs are those of the first and of the second column.
__device__ inline uint2 widened_columns(unsigned four) {
  return widened(__byte_perm(four, 0, 0x3120));
}

/// The state of 16 rows in one warp. A lane has the rows lane / 4 and lane / 4 + 8.
template <bool float8, int head>
struct Rows {
  using Layout = Stored<float8, head>;
  using Factor = Multiplied<float8>;
  static constexpr float shift = float8 ? weight_shift : 0;

  float out[head / 8][4];  ///< sums of weight * value in the layout of mma's result
  float largest[2];        ///< scores, less the shift, the same in the four lanes of a row
  float total[2];          ///< sums of the weights of this lane's columns
  int first[2], last[2];   ///< positions that the rows see; none if last < first

  __device__ void begin(const DeviceOperands& o, const Tile& tile, int first_row, int end_row) {
#pragma unroll
    for (int i = 0; i < head / 8; ++i)
#pragma unroll
      for (int k = 0; k < 4; ++k) out[i][k] = 0;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      largest[half] = lowest_score;
      total[half] = 0;
      const int row = first_row + static_cast<int>(threadIdx.x) % 32 / 4 + 8 * half;
      last[half] = row < end_row ? tile.position_of(row, o.group) : -1;
      first[half] = row < end_row ? first_seen(o, last[half]) : 0;
    }
  }

  /// `keys` positions from `position` on, of which a row sees all if `whole`.
  template <int keys>
  __device__ void attend(const Queries<float8, head>& q, Address key_rows, Address value_rows,
                         const Scoring& scoring, int position, bool whole) {
    float score[keys / 8][4];
    multiply_keys<keys>(q, key_rows, score);
    if constexpr (float8) {
#pragma unroll
      for (int i = 0; i < keys / 8; ++i)
#pragma unroll
        for (int k = 0; k < 4; ++k) score[i][k] *= q.inverse(k / 2);
    }
    weigh<keys>(score, scoring, position, whole);
    add_values<keys>(value_rows, score);
  }

  /// Sums of the weights of whole rows.
  __device__ void finish() {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      total[half] += __shfl_xor_sync(0xFFFFFFFFu, total[half], 1);
      total[half] += __shfl_xor_sync(0xFFFFFFFFu, total[half], 2);
    }
  }

  /// Calls f(column, half, value of the column, value of the next column) for the columns of this lane.
  template <class F>
  __device__ void for_each_pair(const F& f) const {
    const int column = static_cast<int>(threadIdx.x) % 4;
#pragma unroll
    for (int i = 0; i < head / 16; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const float a = out[2 * i][2 * half], b = out[2 * i][2 * half + 1];
        const float c = out[2 * i + 1][2 * half], d = out[2 * i + 1][2 * half + 1];
        if constexpr (float8) {
          f(16 * i + 4 * column, half, a, c);
          f(16 * i + 4 * column + 2, half, b, d);
        } else {
          f(16 * i + 2 * column, half, a, b);
          f(16 * i + 8 + 2 * column, half, c, d);
        }
      }
  }

 private:
  template <int keys>
  __device__ static void multiply_keys(const Queries<float8, head>& q, Address rows,
                                       float (&score)[keys / 8][4]) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = lane / 16 * 8 + lane % 8;
    const int piece = lane / 8 % 2;
#pragma unroll
    for (int i = 0; i < keys / 8; ++i)
#pragma unroll
      for (int k = 0; k < 4; ++k) score[i][k] = 0;
    constexpr int unrolled = head == 256 ? 2 : Layout::pieces / 2;
#pragma unroll unrolled
    for (int step = 0; step < Layout::pieces / 2; ++step) {
      unsigned a[4], other[4];
      q.get(float8 ? 2 * step : step, a);
      if constexpr (float8) q.get(2 * step + 1, other);
#pragma unroll
      for (int i = 0; i < keys / 16; ++i) {
        const uint4 b = ampere::load_matrices(rows + Layout::place(16 * i + row, 2 * step + piece));
        if constexpr (float8) {
          const uint2 first = widened(b.x), second = widened(b.y);
          ampere::multiply<Factor>(score[2 * i], a, first.x, first.y);
          ampere::multiply<Factor>(score[2 * i], other, second.x, second.y);
          const uint2 third = widened(b.z), fourth = widened(b.w);
          ampere::multiply<Factor>(score[2 * i + 1], a, third.x, third.y);
          ampere::multiply<Factor>(score[2 * i + 1], other, fourth.x, fourth.y);
        } else {
          ampere::multiply<Factor>(score[2 * i], a, b.x, b.y);
          ampere::multiply<Factor>(score[2 * i + 1], a, b.z, b.w);
        }
      }
    }
  }

  /// Products become weights.
  template <int keys>
  __device__ void weigh(float (&score)[keys / 8][4], const Scoring& scoring, int position, bool whole) {
    if (scoring.soft_cap > 0) {
#pragma unroll
      for (int i = 0; i < keys / 8; ++i)
#pragma unroll
        for (int k = 0; k < 4; ++k) score[i][k] = scoring.capped(score[i][k]);
    } else {
#pragma unroll
      for (int i = 0; i < keys / 8; ++i)
#pragma unroll
        for (int k = 0; k < 4; ++k) score[i][k] *= scoring.factor;
    }
    if (!whole) {
      const int own = position + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
      for (int i = 0; i < keys / 8; ++i)
#pragma unroll
        for (int k = 0; k < 4; ++k) {
          const int at = own + 8 * i + k % 2;
          if (at < first[k / 2] || at > last[k / 2]) score[i][k] = -INFINITY;
        }
    }
    float rescale[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = lowest_score;
#pragma unroll
      for (int i = 0; i < keys / 8; ++i) top = fmaxf(top, fmaxf(score[i][2 * half], score[i][2 * half + 1]));
      top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 1));
      top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 2));
      top = fmaxf(largest[half], top - shift);
      rescale[half] = power_of_two(largest[half] - top);
      largest[half] = top;
      float sum = 0;
#pragma unroll
      for (int i = 0; i < keys / 8; ++i)
#pragma unroll
        for (int k = 2 * half; k < 2 * half + 2; ++k) {
          score[i][k] = power_of_two(score[i][k] - top);
          sum += score[i][k];
        }
      total[half] = total[half] * rescale[half] + sum;
    }
    if (__any_sync(0xFFFFFFFFu, rescale[0] != 1 || rescale[1] != 1)) {
#pragma unroll
      for (int i = 0; i < head / 8; ++i)
#pragma unroll
        for (int k = 0; k < 4; ++k) out[i][k] *= rescale[k / 2];
    }
  }

  template <int keys>
  __device__ void add_values(Address rows, const float (&weight)[keys / 8][4]) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int row = lane % 16;
    const int piece = lane / 16;
#pragma unroll
    for (int i = 0; i < keys / 16; ++i) {
      unsigned a[4];
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const float(&pair)[4] = weight[2 * i + k / 2];
        const float low = pair[k % 2 * 2], high = pair[k % 2 * 2 + 1];
        a[k] = float8 ? pack_halves(low, high) : pack_pair(low, high);
      }
#pragma unroll
      for (int step = 0; step < Layout::pieces / 2; ++step) {
        const uint4 b = load_transposed(rows + Layout::place(16 * i + row, 2 * step + piece));
        if constexpr (float8) {
          const uint2 first = widened_columns(b.x), second = widened_columns(b.y);
          ampere::multiply<Factor>(out[4 * step], a, first.x, second.x);
          ampere::multiply<Factor>(out[4 * step + 1], a, first.y, second.y);
          const uint2 third = widened_columns(b.z), fourth = widened_columns(b.w);
          ampere::multiply<Factor>(out[4 * step + 2], a, third.x, fourth.x);
          ampere::multiply<Factor>(out[4 * step + 3], a, third.y, fourth.y);
        } else {
          ampere::multiply<Factor>(out[2 * step], a, b.x, b.y);
          ampere::multiply<Factor>(out[2 * step + 1], a, b.z, b.w);
        }
      }
    }
  }

  /// Loads four 8 × 8 matrices, each transposed; lane l has the address of row l % 8 of matrix l / 8.
  __device__ static uint4 load_transposed(Address from) {
    uint4 value;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "r"(from)
                 : "memory");
    return value;
  }
};

}  // namespace adaptive::kernels::ragged_paged_attention
