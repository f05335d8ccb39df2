#pragma once

#include <cuda.h>

#include "kernels/ragged_paged_attention/cuda/stored.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/layout.cuh"

// Another order of copies, for the largest heads: keys are one step ahead of the values. With smaller heads
// the order of copies.cuh was faster.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

/// The steps of the works of a block, one after another. In a resident block works come from the queue;
/// others have one work.
template <class N>
class Steps {
 public:
  __device__ Steps(const DeviceOperands& o, const Work& work) : o_(o) { start(work); }

  __device__ bool done() const { return end_ == 0; }
  __device__ int step() const { return step_; }
  __device__ int begin() const { return begin_; }
  __device__ int end() const { return end_; }
  __device__ void advance() {
    if (++step_ <= (end_ - 1) / N::keys) {
      page_ = next_page_;
      next_page_ = page_at(step_ + 1);
    } else {
      start({});
    }
  }

  /// Starts the copies of this step, which count at `full`.
  __device__ void copy(const CUtensorMap* map, Address stage, Address full) const {
    constexpr int box_bytes = wgmma_box_rows * N::line;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int position = step_ * N::keys + lane * wgmma_box_rows;
    const bool exists = lane < boxes && position < end_ && position + wgmma_box_rows > begin_;
    const int row = (page_ * o_.kv_heads + kv_head_) * o_.page_size + position % o_.page_size;
    const int bytes = __popc(__ballot_sync(0xFFFFFFFFu, exists)) * N::slabs * box_bytes;
    if (lane == 0) hopper::barrier_expect(full, bytes);
    __syncwarp();
    if (!exists) return;
#pragma unroll
    for (int slab = 0; slab < N::slabs; ++slab)
      hopper::copy_box(stage + slab * N::slab + lane * box_bytes, map, 64 * slab, row, full);
  }

 private:
  static constexpr int boxes = N::keys / wgmma_box_rows;

  __device__ void start(const Work& work) {
    const bool none = work.tile.rows == 0;
    sequence_ = work.tile.sequence;
    kv_head_ = work.kv_head;
    begin_ = none ? 0 : work.begin(o_);
    end_ = none ? 0 : work.end(o_);
    step_ = begin_ / N::keys;
    page_ = page_at(step_);
    next_page_ = page_at(step_ + 1);
  }

  /// The page of this lane's positions.
  __device__ int page_at(int step) const {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    return lane < boxes ? page_of(o_, sequence_, step * N::keys + lane * wgmma_box_rows, begin_, end_) : 0;
  }

  const DeviceOperands& o_;
  int sequence_, kv_head_, begin_, end_, step_, page_, next_page_;
};

/// The warp that copies keys and values. The keys are one step ahead of the values, also from one work to the
/// next.
template <class N>
__device__ void copy_steps_keys_ahead(const DeviceOperands& o, const CUtensorMap* key_map,
                                      const CUtensorMap* value_map, Address base, const Work& work) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  Steps<N> keys(o, work), values(o, work);
  hopper::Ring keys_ring, values_ring;
  int edge_parity = 0;
  const auto copy_keys = [&] {
    hopper::barrier_wait(base + N::keys_empty + 8 * keys_ring.stage, keys_ring.parity ^ 1);
    keys.copy(key_map, base + N::ring_of_keys + keys_ring.stage * N::stage,
              base + N::keys_full + 8 * keys_ring.stage);
    keys_ring.advance(N::stages);
  };
  if (!keys.done()) copy_keys();
  for (; !values.done(); values.advance()) {
    if (!keys.done()) keys.advance();
    if (!keys.done()) copy_keys();
    hopper::barrier_wait(base + N::values_empty + 8 * values_ring.stage, values_ring.parity ^ 1);
    const Address stage = base + N::ring_of_values + values_ring.stage * N::stage;
    const Address full = base + N::values_full + 8 * values_ring.stage;
    const int from = values.step() * N::keys;
    if (from >= values.begin() && from + N::keys <= values.end()) {
      values.copy(value_map, stage, full);
    } else {
      values.copy(value_map, stage, base + N::edge_full);
      hopper::barrier_wait(base + N::edge_full, edge_parity);
      edge_parity ^= 1;
      const auto clear = [&](int from_row, int to_row) {
        constexpr int pieces = N::slabs * 8;
        for (int i = from_row * pieces + lane; i < to_row * pieces; i += 32)
          hopper::store_shared(stage + i % pieces / 8 * N::slab + i / pieces * N::line + i % 8 * 16,
                               make_uint4(0, 0, 0, 0));
      };
      clear(0, values.begin() - from);
      clear(values.end() - from, N::keys);
      fence_for_engine();
      __syncwarp();
      if (lane == 0) hopper::barrier_arrive(full);
    }
    values_ring.advance(N::stages);
  }
}

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
