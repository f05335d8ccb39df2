#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/unrolled_for.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/scaled.cuh"
#include "kernels/mixed_bit_matmul/cuda/split/join.cuh"

// For the batches of serving. Each warp copies its own block of 16 rows to shared memory, some chunks ahead,
// and unpacks it in registers, scaled and rounded to the type of the activations. The activations are the
// second operand; they come through a ring, which the warps refill in turn. While one warp
// group of a multiprocessor multiplies, the others can unpack.
//
// Either the chunks of all tiles, one tile after the other, are divided evenly among blocks of threads that
// all run at the same time, or each block of a cluster has a part of the chunks of one tile. join.cuh adds
// the sums of a tile that several blocks have worked on.

namespace adaptive::kernels::mixed_bit_matmul {
namespace split {

/// The layout of shared memory.
template <SplitTile tile>
struct Layout {
  Address x, words, x_full, x_empty, words_full, last;
  SplitStages stages;
  int word_bytes;  // bytes of a warp and stage

  __device__ Layout(Address base, SplitStages division, int bits_max)
      : x(base), stages(division), word_bytes(split_words_bytes(bits_max)) {
    words = x + stages.x * split_x_bytes(tile);
    x_full = words + stages.words * tile.warps() * word_bytes;
    x_empty = x_full + 8 * stages.x;
    words_full = x_empty + 8 * stages.x;
    last = words_full + 8 * stages.words * tile.warps();
  }
  __device__ Address x_of(int stage) const { return x + stage * split_x_bytes(tile); }
};

/// The activations of a block of threads, in steps of tile.x_groups() groups.
template <SplitTile tile>
struct Activations {
  const CUtensorMap* map;
  int first_unit, chunks, token_tiles, tokens;

  /// Requests a step. Runs in one thread.
  __device__ void ask(const Layout<tile>& at, int step, int stage) const {
    constexpr int box = split_box_tokens(tile);
    constexpr int steps = chunk_groups / tile.x_groups();
    const int unit = first_unit + step / steps;
    const int token0 = unit / chunks % token_tiles * tile.tokens;
    const int column = (unit % chunks * steps + step % steps) * tile.x_groups() * 64;
    const int boxes = (min(tile.tokens, tokens - token0) + box - 1) / box;
    const Address full = at.x_full + 8 * stage;
    hopper::barrier_expect(full, tile.x_groups() * boxes * box * 128);
#pragma unroll 1
    for (int group = 0; group < tile.x_groups(); ++group)
#pragma unroll 1
      for (int i = 0; i < boxes; ++i)
        hopper::copy_box(at.x_of(stage) + (group * tile.tokens + i * box) * 128, map, column + group * 64,
                         token0 + i * box, full);
  }
};

/// One warp's blocks of rows, multiplied together with those of the other three warps of its warp group.
template <class T, SplitTile tile>
class Multiplier {
 public:
  __device__ Multiplier(const Layout<tile>& at, const Activations<tile>& x, const DeviceOperands& operands,
                        const Shares& shares, Address base_words, int warp, int lane)
      : at_(at), x_(x), operands_(operands), shares_(shares), warp_(warp), lane_(lane) {
    words_ = base_words + warp * at.stages.words * at.word_bytes;
    full_ = at.words_full + 8 * warp * at.stages.words;
    units_ = shares.count;
    fill_tile_ = x.first_unit / shares.chunks;
    fill_chunk_ = x.first_unit % shares.chunks;
    point();
  }

  /// Requests the first chunks.
  __device__ void begin() {
    const int first = min(at_.stages.words, units_);
    for (int stage = 0; stage < first; ++stage) fill<0>(stage);
  }
  __device__ int steps() const { return units_ * (chunk_groups / tile.x_groups()); }

  /// Multiplies all chunks. `bits` is the width of all blocks of rows, or 0 if they have several.
  template <int bits>
  __device__ void run(Address base) {
    hopper::Ring ring;
    int chunk = x_.first_unit % shares_.chunks;
#pragma unroll 1
    for (int left = units_, index = x_.first_unit / shares_.chunks; left > 0; ++index) {
      const int from = chunk;
      const int end = min(shares_.chunks, from + left);
      const int width = width_of(index);
      left -= end - from;
      float sum[tile.tokens / 2] = {};
#pragma unroll 1
      for (; chunk < end; ++chunk) {
        hopper::barrier_wait(full_ + 8 * ring.stage, ring.parity);
        const Address own = words_ + ring.stage * at_.word_bytes;
        unrolled_for<chunk_groups>([&]<int group>() { multiply<bits, group>(width, own, sum); });
        __syncwarp();  // lanes have read scales that other lanes have copied
        if (end - chunk + left > at_.stages.words) fill<bits>(ring.stage);
        ring.advance(at_.stages.words);
      }
      hopper::wgmma_wait<0>();
      hopper::pin(sum);
      if constexpr (tile.cluster) {
        join_cluster<T, tile>(operands_, shares_, base, sum);
        return;
      }
      finish<T, tile>(operands_, shares_, at_.last, index, from, end, sum);
      chunk = 0;
    }
  }

  /// Does the same for a tile of a cluster and any widths.
  __device__ void run_ahead(Address base) {
    hopper::Ring ring;
    const int index = x_.first_unit / shares_.chunks;
    const int width = width_of(index);
    float sum[tile.tokens / 2] = {};
    hopper::barrier_wait(full_, 0);
    scaled::unpack_any<T, 0>(width, words_, lane_, a_[0]);
#pragma unroll 1
    for (int left = units_ - 1; left >= 0; --left) {
      const Address own = words_ + ring.stage * at_.word_bytes;
      unrolled_for<chunk_groups>([&]<int group>() {
        multiply_ahead<group>(width, own, ring, left > 0, left >= at_.stages.words, sum);
      });
    }
    hopper::wgmma_wait<0>();
    hopper::pin(sum);
    join_cluster<T, tile>(operands_, shares_, base, sum);
  }

 private:
  /// A warp without a block of rows repeats the work of the last block; its rows are not stored.
  __device__ int block_of(int index) const {
    return min(index / shares_.token_tiles * tile.warps() + warp_, operands_.blocks - 1);
  }
  __device__ int width_of(int index) const {
    return operands_.one_width ? operands_.bits_max : operands_.block_bits[block_of(index)];
  }

  template <int bits, int group>
  __device__ void multiply(int width, Address own, float (&sum)[tile.tokens / 2]) {
    constexpr int x_group = group % tile.x_groups();
    if constexpr (bits == 0) {
      hopper::wgmma_wait<0>();
      if constexpr (x_group == 0) pass_on();
      scaled::unpack_any<T, group>(width, own, lane_, a_[0]);
    } else {
      const scaled::Packed<bits, group> packed(own, lane_);
      hopper::wgmma_wait<0>();
      if constexpr (x_group == 0) pass_on();
      packed.template unpack<T>(a_[0]);
    }
    pin_operands();  // all is unpacked before the first product begins
    begin_product<group>(a_[0], sum);
    if constexpr (x_group == tile.x_groups() - 1) next_step();
  }

  /// Multiplies a group, which is unpacked, and unpacks the next one meanwhile; `more`: of the next chunk.
  template <int group>
  __device__ void multiply_ahead(int width, Address own, hopper::Ring& ring, bool more, bool refill,
                                 float (&sum)[tile.tokens / 2]) {
    constexpr int x_group = group % tile.x_groups();
    constexpr int next = (group + 1) % chunk_groups;
    begin_product<group>(a_[group % 2], sum);
    hopper::wgmma_wait<1>();
    if constexpr (x_group == 0) pass_on();
    if constexpr (next != 0) {
      scaled::unpack_any<T, next>(width, own, lane_, a_[next % 2]);
      if constexpr (next == chunk_groups - 1) {
        __syncwarp();  // lanes have read scales that other lanes have copied
        if (refill) fill<0>(ring.stage);
      }
    } else if (more) {
      ring.advance(at_.stages.words);
      hopper::barrier_wait(full_ + 8 * ring.stage, ring.parity);
      scaled::unpack_any<T, next>(width, words_ + ring.stage * at_.word_bytes, lane_, a_[next % 2]);
    }
    if constexpr (x_group == tile.x_groups() - 1) next_step();
  }

  template <int group>
  __device__ void begin_product(const std::uint32_t (&a)[16], float (&sum)[tile.tokens / 2]) {
    constexpr int x_group = group % tile.x_groups();
    if constexpr (x_group == 0) hopper::barrier_wait(at_.x_full + 8 * x_ring_.stage, x_ring_.parity);
    const std::uint64_t x = hopper::describe(at_.x_of(x_ring_.stage) + x_group * tile.tokens * 128);
    hopper::wgmma_fence();
    unrolled_for<4>([&]<int step>() {
      hopper::MultiplyRegisters<T, tile.tokens>::run(sum, a + 4 * step, x + hopper::steps_of(step * 32), 1);
    });
    hopper::wgmma_commit();
  }
  __device__ void next_step() {
    x_ring_.advance(at_.stages.x);
    ++step_;
  }

  __device__ void pin_operands() {
#pragma unroll
    for (std::uint32_t& operand : a_[0]) asm volatile("" : "+r"(operand)::"memory");
  }

  /// Points to the next chunk to request.
  __device__ void point() {
    const int block = block_of(fill_tile_);
    fill_bits_ = width_of(fill_tile_);
    // If all blocks have one width, no other load has to precede those of the weights.
    const long long first = operands_.one_width
                                ? static_cast<long long>(block) * shares_.chunks * words_of_chunk(fill_bits_)
                                : operands_.words_at[block];
    words_piece_ = static_cast<unsigned>(first / 4) + fill_chunk_ * chunk_word_bytes(fill_bits_) / 16 + lane_;
    scales_piece_ =
        static_cast<unsigned>(block * shares_.chunks + fill_chunk_) * (chunk_scale_bytes / 16) + lane_;
  }

  /// Requests the next chunk. `bits` is as in run().
  template <int bits>
  __device__ void fill(int stage) {
    const int width = bits == 0 ? fill_bits_ : bits;
    const Address to = words_ + stage * at_.word_bytes + lane_ * 16;
    const uint4* words = reinterpret_cast<const uint4*>(operands_.words) + words_piece_;
    if (lane_ * 16 < chunk_scale_bytes)
      ampere::copy_piece(to, static_cast<const uint4*>(operands_.scales) + scales_piece_);
#pragma unroll 1
    for (int piece = 0; piece < width; ++piece)
      ampere::copy_piece(to + chunk_scale_bytes + piece * 512, words + piece * 32);
    hopper::barrier_arrive_when_copied(full_ + 8 * stage);
    words_piece_ += chunk_word_bytes(width) / 16;
    scales_piece_ += chunk_scale_bytes / 16;
    if constexpr (tile.cluster) return;  // the next chunk is one of the same tile
    if (++fill_chunk_ == shares_.chunks) {
      fill_chunk_ = 0;
      ++fill_tile_;
      point();
    }
  }

  /// Leaves the previous stage of activations and refills one that all warps have left, or soon will.
  __device__ void pass_on() {
    if (step_ == 0) return;
    __syncwarp();
    if (lane_ == 0) hopper::barrier_arrive(at_.x_empty + 8 * stage_before(1));
    const int lag = at_.stages.x > 2 ? 2 : 1;
    const int next = step_ - lag + at_.stages.x;
    if (step_ >= lag && next < steps()) {
      if (warp_ == step_ % tile.warps() && lane_ == 0) {
        const int stage = stage_before(lag);
        hopper::barrier_wait(at_.x_empty + 8 * stage, x_ring_.parity ^ (x_ring_.stage < lag ? 1 : 0));
        x_.ask(at_, next, stage);
      }
      __syncwarp();
    }
  }
  __device__ int stage_before(int count) const {
    const int stage = x_ring_.stage - count;
    return stage < 0 ? stage + at_.stages.x : stage;
  }

  const Layout<tile>& at_;
  const Activations<tile>& x_;
  const DeviceOperands& operands_;
  const Shares& shares_;
  const int warp_, lane_;
  Address words_, full_;
  int units_;
  int fill_tile_, fill_chunk_, fill_bits_;  // of the next chunk to request
  unsigned words_piece_, scales_piece_;     // its place in pieces of 16 bytes
  // A tile of many tokens has a group multiplied while the next one is unpacked to other registers.
  std::uint32_t a_[2][16];
  hopper::Ring x_ring_;
  int step_ = 0;
};

}  // namespace split

template <std::size_t index>
struct SplitOf {
  static constexpr SplitTile tile = split_tiles[index];
};

template <class T, std::size_t index>
__global__ void __launch_bounds__(split_tiles[index].threads(), split_tiles[index].resident())
    mixed_bit_split(const __grid_constant__ CUtensorMap x_map, const DeviceOperands operands,
                    const SplitStages stages, const SplitScratch scratch, const SplitGrid grid) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr SplitTile tile = SplitOf<index>::tile;
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const split::Layout<tile> at(base, stages, operands.bits_max);
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const split::Shares shares(operands, scratch, grid, tile.cluster);
  const split::Activations<tile> x{&x_map, shares.begin, shares.chunks, grid.token_tiles, operands.tokens};
  split::Multiplier<T, tile> multiplier(at, x, operands, shares, at.words, warp, lane);
  if (lane < stages.words) {
    hopper::barrier_init(at.words_full + 8 * (warp * stages.words + lane), 32);
    hopper::fence_barrier_init();
  }
  __syncwarp();
  multiplier.begin();
  // The kernel before may have written the activations, and may still use the scratch memory.
  cuda::wait_for_previous();
  cuda::let_next_begin();
  if (warp == 0 && lane == 0) {
    for (int stage = 0; stage < stages.x; ++stage) {
      hopper::barrier_init(at.x_full + 8 * stage, 1);
      hopper::barrier_init(at.x_empty + 8 * stage, tile.warps());
    }
    hopper::fence_barrier_init();
    for (int step = 0; step < min(stages.x, multiplier.steps()); ++step) x.ask(at, step, step);
  }
  __syncthreads();
  if constexpr (tile.tokens >= 128) {
    multiplier.run_ahead(base);
  } else {
    switch (operands.one_width ? operands.bits_max : 0) {
      case 2:
        multiplier.template run<2>(base);
        break;
      case 3:
        multiplier.template run<3>(base);
        break;
      case 4:
        multiplier.template run<4>(base);
        break;
      case 8:
        multiplier.template run<8>(base);
        break;
      default:
        multiplier.template run<0>(base);
        break;
    }
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::mixed_bit_matmul
