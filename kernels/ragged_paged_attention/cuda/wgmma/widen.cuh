#pragma once

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/ragged_paged_attention/cuda/halves.cuh"
#include "kernels/ragged_paged_attention/cuda/stored.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// What the warps that fill the rings do for a cache of float8: they widen keys and values to float16,
// exactly, between memory of their own, to which the copy engine copies them, and the rings of the tensor
// cores. Each warp has the same positions of every step.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// Widens rows at `from`, which follow each other, to their places in a stage; `to` is that of the first.
/// Rows outside of [begin, end) become zeros unless `whole`.
template <class N, int head>
__device__ void widen_rows(Address from, Address to, bool whole, int begin, int end) {
  constexpr int rows_at_once = 8 / N::slabs;
  constexpr int rounds = N::widened_rows / rows_at_once;
  constexpr int at_once = 4;
  static_assert(rounds % at_once == 0);
  // A quarter of a warp has half a slab's line of an even row, and of an odd row in another slab if there is
  // one. So both its loads and its stores of 16 bytes are in different banks.
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int odd = lane / 4 % 2;
  const int first_row = lane / 8 / N::slabs * 2 + odd;
  const int slab = N::slabs == 1 ? 0 : lane / 8 % N::slabs ^ odd;
  const Address own = from + first_row * head + slab * 64 + lane % 4 * 16;
  const Address place = to + slab * N::slab + first_row * N::line + (lane % 4 * 2 ^ first_row) * 16;
#pragma unroll 1  // few registers are left for it
  for (int first = 0; first < rounds; first += at_once) {
    // The loads come first: a store in front of a load would make it wait for the conversion.
    uint4 sixteen[at_once];
#pragma unroll
    for (int i = 0; i < at_once; ++i)
      sixteen[i] = hopper::load_shared(own + (first + i) * rows_at_once * head);
    if (!whole) {
#pragma unroll
      for (int i = 0; i < at_once; ++i) {
        const int row = (first + i) * rows_at_once + first_row;
        if (row < begin || row >= end) sixteen[i] = make_uint4(0, 0, 0, 0);
      }
    }
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const uint2 a = widened(sixteen[i].x), b = widened(sixteen[i].y);
      const uint2 c = widened(sixteen[i].z), d = widened(sixteen[i].w);
      const int row = (first + i) * rows_at_once;
      const Address line = (place ^ (row & 7) * 16) + row * N::line;
      hopper::store_shared(line, make_uint4(a.x, a.y, b.x, b.y));
      hopper::store_shared(line ^ 16, make_uint4(c.x, c.y, d.x, d.y));
    }
  }
}

/// The keys, or the values, of a warp that widens.
template <class N, int head, bool values>
class Widened {
 public:
  __device__ Widened(const DeviceOperands& o, Address base, int widener)
      : o_(o),
        cache_(static_cast<const char*>(values ? o.value_cache : o.key_cache)),
        first_row_(widener * N::widened_rows),
        staged_(base + N::staging + (2 * widener + (values ? 1 : 0)) * N::staging_stages * bytes),
        staged_full_(base + N::staged_full + (2 * widener + (values ? 1 : 0)) * N::staging_stages * 8),
        ring_(base + (values ? N::ring_of_values : N::ring_of_keys) + first_row_ * N::line),
        full_(base + (values ? N::values_full : N::keys_full)),
        empty_(base + (values ? N::values_empty : N::keys_empty)) {}

  /// Starts the copies of the first steps.
  __device__ void begin(const Work& work) {
    begin_ = work.begin(o_);
    end_ = work.end(o_);
    next_ = begin_ / N::keys;
    page_ = page_at(work);
#pragma unroll
    for (int i = 0; i < N::staging_stages; ++i) copy(work);
  }

  /// Widens the next step, and starts the copy of the one that takes its place.
  __device__ void widen(const Work& work, int step) {
    hopper::barrier_wait(staged_full_ + 8 * read_.stage, read_.parity);
    hopper::barrier_wait(empty_ + 8 * filled_.stage, filled_.parity ^ 1);
    const int first = step * N::keys + first_row_;
    // Keys that no row sees may be anything: their scores are replaced.
    const bool whole = !values || (step * N::keys >= begin_ && (step + 1) * N::keys <= end_);
    widen_rows<N, head>(staged_ + read_.stage * bytes, ring_ + filled_.stage * N::stage, whole,
                        begin_ - first, end_ - first);
    fence_for_engine();
    __syncwarp();
    if (threadIdx.x % 32 == 0) hopper::barrier_arrive(full_ + 8 * filled_.stage);
    filled_.advance(N::stages);
    read_.advance(N::staging_stages);
    copy(work);
  }

 private:
  static constexpr int boxes = N::widened_rows / wgmma_box_rows;
  static constexpr int box_bytes = wgmma_box_rows * head;
  static constexpr int bytes = boxes * box_bytes;  ///< of a step

  __device__ int position() const {
    return next_ * N::keys + first_row_ + static_cast<int>(threadIdx.x) % 32 * wgmma_box_rows;
  }

  /// For the box of this lane.
  __device__ int page_at(const Work& work) const {
    return threadIdx.x % 32 < boxes ? page_of(o_, work.tile.sequence, position(), begin_, end_) : 0;
  }

  __device__ void copy(const Work& work) {
    if (next_ * N::keys >= end_) return;
    const int at = position();
    const bool exists = threadIdx.x % 32 < boxes && at < end_ && at + wgmma_box_rows > begin_;
    const long long from = static_cast<long long>(row_of(o_, page_, work.kv_head, at)) * head;
    ++next_;
    page_ = page_at(work);
    const Address full = staged_full_ + 8 * copied_.stage;
    const int copied_bytes = __popc(__ballot_sync(0xFFFFFFFFu, exists)) * box_bytes;
    if (threadIdx.x % 32 == 0) hopper::barrier_expect(full, copied_bytes);
    __syncwarp();
    if (exists)
      hopper::copy_bytes(staged_ + copied_.stage * bytes + static_cast<int>(threadIdx.x) % 32 * box_bytes,
                         cache_ + from, box_bytes, full);
    copied_.advance(N::staging_stages);
  }

  const DeviceOperands& o_;
  const char* cache_;
  int first_row_;  ///< of this warp in a step
  Address staged_, staged_full_, ring_, full_, empty_;
  hopper::Ring copied_, read_, filled_;
  int begin_, end_, next_, page_;  ///< positions of the work, and the next step to copy
};

/// Runs a warp that widens, for its keys and values of work after work. Keys are widened a step ahead of
/// values, because their stage becomes free earlier; when the stage of the values does, the next keys are
/// there already.
template <class N, int head>
__device__ void widen_all(const DeviceOperands& o, Address base, int widener) {
  Queue<N> queue(base);
  Widened<N, head, false> keys(o, base, widener);
  Widened<N, head, true> values(o, base, widener);
  cuda::wait_for_previous();  // it stores the new tokens
  while (true) {
    const Work work = queue.take();
    if (work.tile.rows == 0) return;
    const int first_step = work.begin(o) / N::keys;
    const int last_step = (work.end(o) - 1) / N::keys;
    keys.begin(work);
    values.begin(work);
    const auto widen_keys = [&](int step) {
      if (step > last_step) return;
      if (step == last_step && widener == 0 && threadIdx.x % 32 == 0)
        hopper::barrier_arrive(base + N::tile_ends);
      keys.widen(work, step);
    };
#pragma unroll 1
    for (int step = first_step - 2; step <= last_step; ++step) {
      if (step >= first_step) values.widen(work, step);
      widen_keys(step + 2);
    }
  }
}

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
