#pragma once

#include "kernels/ragged_paged_attention/cuda/queries.cuh"
#include "kernels/ragged_paged_attention/cuda/scoring.cuh"
#include "kernels/ragged_paged_attention/cuda/stored.cuh"

// The attention of 16 rows by one warp, with mma.sync and the online softmax. Keys and values are in shared
// memory as they are in the cache: a row for each position, in pieces of 16 bytes whose order changes from
// row to row, so that ldmatrix has no bank conflicts.
//
// float8 becomes bfloat16, exactly, after it is loaded into registers. A register then has four neighbouring
// elements of a head. The even ones are the first pair of elements that an mma takes, the odd ones the
// second: the queries are loaded in the same order, and the columns of the result are put into order when
// they are stored.

namespace adaptive::kernels::ragged_paged_attention {

/// Two pairs of bfloat16 from four float8: the even and the odd ones.
__device__ inline void widen(unsigned four, unsigned& even, unsigned& odd) {
  // The exponent of a float8 is in the lowest four bits of the exponent of a bfloat16, whose bias is 127
  // instead of 7: the product with 2^120 is exact, also for the subnormal ones.
  constexpr unsigned signs = 0x80008000u;
  constexpr unsigned magnitudes = 0x07F007F0u;
  const unsigned a = (four << 8 & signs) | (four << 4 & magnitudes);
  const unsigned b = (four & signs) | (four >> 4 & magnitudes);
  constexpr unsigned scale = 0x7B807B80u;    // 2^120, twice
  constexpr unsigned nothing = 0x80008000u;  // -0, twice; Ampere has no product without a sum
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(even) : "r"(a), "r"(scale), "r"(nothing));
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(odd) : "r"(b), "r"(scale), "r"(nothing));
}

/// The state of 16 rows in one warp. A lane has the rows lane / 4 and lane / 4 + 8.
template <bool float8, int head>
struct Rows {
  using Layout = Stored<float8, head>;

  float out[head / 8][4];  ///< sums of weight * value in the layout of mma's result
  float largest[2];        ///< scores, the same in the four lanes of a row
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
          unsigned even, odd;
          widen(b.x, even, odd);
          ampere::multiply<__nv_bfloat16>(score[2 * i], a, even, odd);
          widen(b.y, even, odd);
          ampere::multiply<__nv_bfloat16>(score[2 * i], other, even, odd);
          widen(b.z, even, odd);
          ampere::multiply<__nv_bfloat16>(score[2 * i + 1], a, even, odd);
          widen(b.w, even, odd);
          ampere::multiply<__nv_bfloat16>(score[2 * i + 1], other, even, odd);
        } else {
          ampere::multiply<__nv_bfloat16>(score[2 * i], a, b.x, b.y);
          ampere::multiply<__nv_bfloat16>(score[2 * i + 1], a, b.z, b.w);
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
      float top = largest[half];
#pragma unroll
      for (int i = 0; i < keys / 8; ++i) top = fmaxf(top, fmaxf(score[i][2 * half], score[i][2 * half + 1]));
      top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 1));
      top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 2));
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
      const unsigned a[4] = {pack_pair(weight[2 * i][0], weight[2 * i][1]),
                             pack_pair(weight[2 * i][2], weight[2 * i][3]),
                             pack_pair(weight[2 * i + 1][0], weight[2 * i + 1][1]),
                             pack_pair(weight[2 * i + 1][2], weight[2 * i + 1][3])};
#pragma unroll
      for (int step = 0; step < Layout::pieces / 2; ++step) {
        const uint4 b = load_transposed(rows + Layout::place(16 * i + row, 2 * step + piece));
        if constexpr (float8) {
          unsigned even[2], odd[2];
          widen(b.x, even[0], odd[0]);
          widen(b.y, even[1], odd[1]);
          ampere::multiply<__nv_bfloat16>(out[4 * step], a, even[0], even[1]);
          ampere::multiply<__nv_bfloat16>(out[4 * step + 1], a, odd[0], odd[1]);
          widen(b.z, even[0], odd[0]);
          widen(b.w, even[1], odd[1]);
          ampere::multiply<__nv_bfloat16>(out[4 * step + 2], a, even[0], even[1]);
          ampere::multiply<__nv_bfloat16>(out[4 * step + 3], a, odd[0], odd[1]);
        } else {
          ampere::multiply<__nv_bfloat16>(out[2 * step], a, b.x, b.y);
          ampere::multiply<__nv_bfloat16>(out[2 * step + 1], a, b.z, b.w);
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
