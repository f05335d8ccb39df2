#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/ragged_paged_attention/cuda/batch.cuh"

// The division of shared memory, and the works that blocks take.

namespace adaptive::kernels::ragged_paged_attention::many_rows {

using ampere::Address;

/// What a kernel needs, as constants, and the division of shared memory.
template <bool float8, int head, std::size_t index>
struct Needs {
  static constexpr bool widens = float8;
  static constexpr int element_bytes = float8 ? 1 : 2;
  static constexpr WgmmaConfig config = wgmma_configs[index];
  static constexpr int groups = config.groups;
  static constexpr int height = config.rows();
  static constexpr int threads = wgmma_threads(config, head, element_bytes);
  static constexpr int loaders = wgmma_loaders(head, element_bytes);
  static constexpr int keys = wgmma_keys(config, head, element_bytes);
  static constexpr int stages = config.stages;
  static constexpr int slabs = head / 64;
  static constexpr int line = 128;  // bytes of 64 elements
  static constexpr int query_slab = height * line;
  static constexpr int slab = keys * line;  // of keys or values
  static constexpr int stage = slabs * slab;
  static constexpr int ring_of_keys = slabs * query_slab;
  static constexpr int ring_of_values = ring_of_keys + stages * stage;
  static constexpr int staging = ring_of_values + stages * stage;
  static constexpr int staging_stages = wgmma_staging_stages;
  static constexpr int query_scales = staging + (float8 ? staging_stages * 2 * keys * head : 0);
  static constexpr int tile = query_scales + (float8 ? 4 * height : 0);
  static constexpr int keys_full = tile + wgmma_tile_bytes;
  static constexpr int keys_empty = keys_full + 8 * stages;
  static constexpr int values_full = keys_empty + 8 * stages;
  static constexpr int values_empty = values_full + 8 * stages;
  static constexpr int queries_full = values_empty + 8 * stages;  // one for each group
  static constexpr int queries_empty = queries_full + 8 * groups;
  static constexpr int tile_full = queries_empty + 8 * groups;
  static constexpr int tile_empty = tile_full + 8;
  static constexpr int tile_ends = tile_empty + 8;
  static constexpr int edge_full = tile_ends + 8;
  static constexpr int staged_full =
      edge_full + 8;  // for each stage of keys and values of each warp that widens
  /// Whether groups start their products in turn, so that one computes weights while another multiplies. Two
  /// groups find that order by themselves.
  static constexpr bool takes_turns = groups > 2;
  static constexpr int registers_taken = loaders == 1 ? 216 : float8 ? 200 : groups == 3 ? 160 : 232;
  static constexpr int registers_left = float8 ? 40 : groups == 3 ? 32 : 40;
  static constexpr int registers_to_widen = 72;
  static constexpr int wideners = wgmma_wideners(head);
  static constexpr int widened_rows = keys / wideners;
  /// Warps that fill a stage: one copies keys, and one values; or all widen some of both.
  static constexpr int fillers = float8 ? wideners : 1;
  /// Lanes that arrive when a warp has read or written what others write or read with plain instructions:
  /// all, because compute-sanitizer does not see that __syncwarp() orders their accesses before one lane's
  /// arrival.
  static constexpr int tile_lanes = 32;
  static constexpr int query_lanes = float8 ? 32 : 1;
  /// Warps that take works: those that multiply, those that fill stages, and a second one that loads queries.
  static constexpr int takers = 4 * groups + (float8 ? wideners : 2) + loaders - 1;
  static_assert(staged_full + (float8 ? 2 * 8 * staging_stages * wideners : 0) ==
                wgmma_shared_bytes(config, head, element_bytes));
  static_assert(tile % 16 == 0 && slab % 1024 == 0);
  static_assert(!float8 || widened_rows * wideners == keys);
  static_assert(!float8 || widened_rows % wgmma_box_rows == 0);
  static_assert(keys % 16 == 0 && keys / wgmma_box_rows <= 32);
};

__device__ inline void fence_for_engine() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// A tile and a key/value head.
struct Work {
  Tile tile;
  int kv_head;

  __device__ int begin(const DeviceOperands& o) const {
    return first_seen(o, tile.position_of(tile.row, o.group));
  }
  __device__ int end(const DeviceOperands& o) const {
    return tile.position_of(tile.row + tile.rows - 1, o.group) + 1;
  }
};
static_assert(sizeof(Work) <= wgmma_tile_bytes);

/// The work with this number. The last tiles of a prompt see most positions, so they come first.
template <class N>
__device__ Work find_work(const DeviceOperands& o, RowRange range, int tiles, int number) {
  return {find_tile<N::height>(o, range, tiles - 1 - number / o.kv_heads), number % o.kv_heads};
}

/// Passes works from the warp that finds them to all warps, one ahead.
template <class N>
class Queue {
 public:
  __device__ explicit Queue(Address base) : base_(base) {}

  /// Without rows it is the last.
  __device__ void give(const Work& work) {
    hopper::barrier_wait(base_ + N::tile_empty, parity_ ^ 1);
    if (threadIdx.x % 32 == 0) {
      const Address to = base_ + N::tile;
      const auto as_bits = [](int value) { return static_cast<unsigned>(value); };
      hopper::store_shared(to, make_uint4(as_bits(work.tile.sequence), as_bits(work.tile.first_token),
                                          as_bits(work.tile.tokens), as_bits(work.tile.past)));
      hopper::store_shared(
          to + 16, make_uint4(as_bits(work.tile.row), as_bits(work.tile.rows), as_bits(work.kv_head), 0));
      hopper::barrier_arrive(base_ + N::tile_full);
    }
    __syncwarp();
    parity_ ^= 1;
  }

  __device__ Work take() {
    hopper::barrier_wait(base_ + N::tile_full, parity_);
    const uint4 a = hopper::load_shared(base_ + N::tile);
    const uint4 b = hopper::load_shared(base_ + N::tile + 16);
    hopper::barrier_arrive(base_ + N::tile_empty);
    parity_ ^= 1;
    const auto as_int = [](unsigned bits) { return static_cast<int>(bits); };
    return {{as_int(a.x), as_int(a.y), as_int(a.z), as_int(a.w), as_int(b.x), as_int(b.y)}, as_int(b.z)};
  }

 private:
  Address base_;
  int parity_ = 0;
};

}  // namespace adaptive::kernels::ragged_paged_attention::many_rows
