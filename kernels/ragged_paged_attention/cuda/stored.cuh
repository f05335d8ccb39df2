#pragma once

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/ragged_paged_attention/cuda/batch.cuh"

// Keys and values in shared memory, and their copies by cp.async.

namespace adaptive::kernels::ragged_paged_attention {

using ampere::Address;

/// The layout of keys or values in shared memory.
template <bool float8, int head>
struct Stored {
  static constexpr int bytes = float8 ? head : 2 * head;  ///< of a row
  static constexpr int pieces = bytes / 16;

  __device__ static constexpr int place(int row, int piece) {
    const int turn = bytes >= 128 ? row & 7 : row >> 1 & 3;
    return row * bytes + (piece ^ turn) * 16;
  }
};

/// Copies 16 positions of a sequence, from a multiple of 16 on, to shared memory; those outside of [begin,
/// end) become zeros. `page` is that of the positions, and is not used if there are none. Called by all
/// threads of a group of `threads` with their number in the group.
template <bool float8, int head, int threads>
__device__ void copy_sixteen(const DeviceOperands& o, int kv_head, int page, int position, int begin, int end,
                             Address keys, Address values, int thread) {
  using Layout = Stored<float8, head>;
  const bool any = position < end && position + 16 > begin;
  const long long at =
      any ? ((static_cast<long long>(page) * o.kv_heads + kv_head) * o.page_size + position % o.page_size) *
                Layout::bytes
          : 0;
  const char* const key = static_cast<const char*>(o.key_cache) + at;
  const char* const value = static_cast<const char*>(o.value_cache) + at;
  constexpr int count = 16 * Layout::pieces;
#pragma unroll
  for (int i = 0; i < (count + threads - 1) / threads; ++i) {
    const int piece = thread + i * threads;
    if (count % threads != 0 && piece >= count) break;
    const int row = piece / Layout::pieces;
    const bool exists = position + row >= begin && position + row < end;
    const int to = Layout::place(row, piece % Layout::pieces);
    const int from = exists ? piece * 16 : 0;
    ampere::copy_piece_or_zeros(keys + to, key + from, exists);
    ampere::copy_piece_or_zeros(values + to, value + from, exists);
  }
}

/// The row of the cache, of those of all pages and heads, that has a position and a head.
__device__ inline int row_of(const DeviceOperands& o, int page, int kv_head, int position) {
  return (page * o.kv_heads + kv_head) * o.page_size + position % o.page_size;
}

__device__ inline int page_of(const DeviceOperands& o, int sequence, int position, int begin, int end) {
  if (position >= end || position + 16 <= begin) return 0;
  return o.page_table[static_cast<long long>(sequence) * o.pages_per_sequence + position / o.page_size];
}

__device__ inline void commit_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int pending>
__device__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

}  // namespace adaptive::kernels::ragged_paged_attention
