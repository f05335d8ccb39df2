#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/store_sums.cuh"
#include "kernels/common/cuda/unrolled_for.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/mixed_bit_matmul/cuda/balanced/join.cuh"
#include "kernels/mixed_bit_matmul/cuda/balanced/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/scaled.cuh"

// For tens to hundreds of tokens: weights are unpacked and multiplied as in ../wgmma/kernel.cuh, but no
// multiprocessor is left without work by the number of tiles. Each block of threads has the same number of
// groups of 64 columns of all tiles, one tile after the other; join.cuh adds the sums of a tile that several
// blocks have worked on. A block begins with its last tile, so that the parts that others need are ready
// early.
//
// Four more warps keep two rings of stages filled, across tiles: one has activations copied in groups, the
// others copy weights in chunks of four groups. A tile that begins or ends within a chunk leaves the other
// groups of the chunk out.

namespace adaptive::kernels::mixed_bit_matmul {
namespace balanced {

/// The layout of shared memory.
template <BalancedConfig config>
struct Layout {
  Address x, words, staging, x_full, x_empty, words_full, words_empty;
  int word_bytes;  // bytes of a warp and stage

  __device__ Layout(Address base, const BalancedStages& stages, int bits_max)
      : x(base),
        words(base + stages.x * balanced_x_bytes(config)),
        word_bytes(chunk_word_bytes(bits_max) + chunk_scale_bytes) {
    staging = words + stages.words * config.warps() * word_bytes;
    x_full = staging + balanced_staging_bytes(config);
    x_empty = x_full + 8 * stages.x;
    words_full = x_empty + 8 * stages.x;
    words_empty = words_full + 8 * stages.words;
  }
  __device__ Address x_of(int stage) const { return x + stage * balanced_x_bytes(config); }
  __device__ Address words_of(int stage, int warp) const {
    return words + (stage * config.warps() + warp) * word_bytes;
  }
};

/// Copies the activations of the tiles. Runs in one thread.
template <BalancedConfig config>
class ActivationLoader {
 public:
  __device__ ActivationLoader(const Layout<config>& at, const BalancedStages& stages,
                              const CUtensorMap* x_map, const DeviceOperands& operands)
      : at_(at), stages_(stages), x_map_(x_map), operands_(operands) {}

  __device__ void load(const Segment& tile) {
    constexpr int box_tokens = balanced_box_tokens(config);
    constexpr int box_bytes = box_tokens * 128;
    const int token0 = tile.token_tile * config.tokens;
    const int boxes = (min(config.tokens, operands_.tokens - token0) + box_tokens - 1) / box_tokens;
#pragma unroll 1
    for (int group = tile.from; group < tile.to; ++group) {
      hopper::barrier_wait(at_.x_empty + 8 * ring_.stage, ring_.parity ^ 1);
      const Address full = at_.x_full + 8 * ring_.stage;
      hopper::barrier_expect(full, boxes * box_bytes);
#pragma unroll 1
      for (int box = 0; box < boxes; ++box)
        hopper::copy_box(at_.x_of(ring_.stage) + box * box_bytes, x_map_, group * 64,
                         token0 + box * box_tokens, full);
      ring_.advance(stages_.x);
    }
  }

 private:
  const Layout<config>& at_;
  const BalancedStages& stages_;
  const CUtensorMap* x_map_;
  const DeviceOperands& operands_;
  hopper::Ring ring_;
};

/// Copies the weights of the tiles. Runs in balanced_word_warps warps, which have some blocks of rows each: a
/// chunk of a tile is so many small pieces that a single thread could not request them in time.
template <BalancedConfig config>
class WeightLoader {
 public:
  __device__ WeightLoader(const Layout<config>& at, const BalancedStages& stages,
                          const DeviceOperands& operands, int warp, int lane)
      : at_(at), stages_(stages), operands_(operands), warp_(warp), lane_(lane) {}

  __device__ void load(const Segment& tile) {
    const int first_block = tile.row_tile * config.warps();
    const int blocks = min(config.warps(), operands_.blocks - first_block);
#pragma unroll 1
    for (int chunk = tile.from / chunk_groups; chunk * chunk_groups < tile.to; ++chunk) {
      hopper::barrier_wait(at_.words_empty + 8 * ring_.stage, ring_.parity ^ 1);
#pragma unroll 1
      for (int i = warp_; i < blocks; i += balanced_word_warps) load_block(first_block + i, i, chunk);
      hopper::barrier_arrive_when_copied(at_.words_full + 8 * ring_.stage);
      ring_.advance(stages_.words);
    }
  }

 private:
  __device__ void load_block(int block, int i, int chunk) const {
    const int chunks = operands_.chunks();
    const int bits = operands_.one_width ? operands_.bits_max : operands_.block_bits[block];
    const long long first = operands_.one_width
                                ? static_cast<long long>(block) * chunks * words_of_chunk(bits)
                                : operands_.words_at[block];
    const auto* const words =
        reinterpret_cast<const uint4*>(operands_.words + first + chunk * words_of_chunk(bits)) + lane_;
    const auto* const scales = static_cast<const uint4*>(operands_.scales) +
                               (static_cast<long long>(block) * chunks + chunk) * (chunk_scale_bytes / 16) +
                               lane_;
    const Address to = at_.words_of(ring_.stage, i) + lane_ * 16;
    if (lane_ * 16 < chunk_scale_bytes) ampere::copy_piece(to, scales);
#pragma unroll 4
    for (int piece = 0; piece < bits; ++piece)
      ampere::copy_piece(to + chunk_scale_bytes + piece * 512, words + piece * 32);
  }

  const Layout<config>& at_;
  const BalancedStages& stages_;
  const DeviceOperands& operands_;
  const int warp_, lane_;
  hopper::Ring ring_;
};

/// Multiplies 64 rows of each tile with one warp group.
template <class T, BalancedConfig config>
class Multiplier {
 public:
  __device__ Multiplier(const Layout<config>& at, const BalancedStages& stages, int warp, int lane)
      : at_(at), stages_(stages), warp_(warp), lane_(lane) {}

  /// Adds the groups [from, to) of a tile; `bits` is the width of this warp's block of rows.
  __device__ void add(int from, int to, int bits, float (&sum)[config.tokens / 2]) {
    hopper::barrier_wait(at_.words_full + 8 * words_.stage, words_.parity);
    // The group before the first one is not multiplied: it only has the first one unpacked.
    const int before = from - 1;
#pragma unroll 1
    for (int group = before < 0 ? -chunk_groups : before / chunk_groups * chunk_groups; group < to;
         group += chunk_groups)
      unrolled_for<chunk_groups>([&]<int i>() { multiply<i>(group + i, from, to, bits, sum); });
    hopper::wgmma_wait<0>();
    hopper::pin(sum);
    leave_x();
    hopper::barrier_arrive(at_.words_empty + 8 * words_.stage);
    words_.advance(stages_.words);
  }

 private:
  template <int group_of_chunk>
  __device__ void multiply(int at, int from, int to, int bits, float (&sum)[config.tokens / 2]) {
    if (at < from - 1 || at >= to) return;
    const bool multiplies = at >= from;
    if (multiplies) {
      hopper::barrier_wait(at_.x_full + 8 * x_.stage, x_.parity);
      const std::uint64_t x = hopper::describe(at_.x_of(x_.stage));
      hopper::wgmma_fence();
      unrolled_for<4>([&]<int step>() {
        hopper::MultiplyRegisters<T, config.tokens>::run(sum, a_[group_of_chunk % 2] + 4 * step,
                                                         x + hopper::steps_of(step * 32), 1);
      });
      hopper::wgmma_commit();
      hopper::wgmma_wait<1>();  // the other registers are free, and so is the stage before
      if (at > from) leave_x();
      before_ = x_.stage;
      x_.advance(stages_.x);
    }
    if (at + 1 < to) {
      constexpr int next = (group_of_chunk + 1) % chunk_groups;
      if (next == 0 && multiplies) {
        hopper::barrier_arrive(at_.words_empty + 8 * words_.stage);  // every thread has read its own words
        words_.advance(stages_.words);
        hopper::barrier_wait(at_.words_full + 8 * words_.stage, words_.parity);
      }
      scaled::unpack_any<T, next>(bits, at_.words_of(words_.stage, warp_), lane_, a_[next % 2]);
    }
  }

  __device__ void leave_x() {
    __syncwarp();
    if (lane_ == 0) hopper::barrier_arrive(at_.x_empty + 8 * before_);
  }

  const Layout<config>& at_;
  const BalancedStages& stages_;
  const int warp_, lane_;
  std::uint32_t a_[2][16];  // operands of the group that is multiplied, and of the next one
  hopper::Ring x_, words_;
  int before_ = 0;  // the stage of the group that was multiplied last
};

}  // namespace balanced

template <std::size_t index>
struct BalancedOf {
  static constexpr BalancedConfig config = balanced_configs[index];
};

template <class T, std::size_t index>
__global__ void __launch_bounds__(balanced_configs[index].threads(), 1)
    mixed_bit_balanced(const __grid_constant__ CUtensorMap x_map, const DeviceOperands operands,
                       const BalancedStages stages, const BalancedScratch scratch, const BalancedGrid grid,
                       int token_tiles) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr BalancedConfig config = BalancedOf<index>::config;
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const balanced::Layout<config> at(base, stages, operands.bits_max);
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const balanced::Share share(grid, operands.groups, token_tiles);
  if (warp == config.warps() && lane == 0) {
    hopper::prefetch_map(&x_map);
    for (int stage = 0; stage < stages.x; ++stage) {
      hopper::barrier_init(at.x_full + 8 * stage, 1);
      hopper::barrier_init(at.x_empty + 8 * stage, config.warps());
    }
    for (int stage = 0; stage < stages.words; ++stage) {
      hopper::barrier_init(at.words_full + 8 * stage, 32 * balanced_word_warps);
      hopper::barrier_init(at.words_empty + 8 * stage, 32 * config.warps());
    }
    hopper::fence_barrier_init();
  }
  __syncthreads();

  if (warp >= config.warps()) {
    if constexpr (config.donates()) hopper::give_registers<config.registers_left()>();
    if (warp > config.warps()) {
      // Weights are constant: they need not wait for the kernel before this one.
      balanced::WeightLoader<config> loader(at, stages, operands, warp - config.warps() - 1, lane);
      for (int tile = share.last_tile(); tile >= share.first_tile(); --tile) loader.load(share.segment(tile));
    } else if (lane == 0) {
      cuda::wait_for_previous();
      cuda::let_next_begin();
      balanced::ActivationLoader<config> loader(at, stages, &x_map, operands);
      for (int tile = share.last_tile(); tile >= share.first_tile(); --tile) loader.load(share.segment(tile));
    }
  } else {
    if constexpr (config.donates()) hopper::take_registers<config.registers_taken()>();
    cuda::wait_for_previous();
    cuda::let_next_begin();
    balanced::Multiplier<T, config> multiplier(at, stages, warp, lane);
    const int group = warp / 4;
    const hopper::Address staging = at.staging + group * (balanced_staging_bytes(config) / config.groups());
    int turn = 0;
#pragma unroll 1
    for (int tile = share.last_tile(); tile >= share.first_tile(); --tile) {
      const balanced::Segment segment = share.segment(tile);
      // Rows beyond the last row are unpacked from whatever is in memory there, and are not stored.
      const int block = segment.row_tile * config.warps() + warp;
      const int bits =
          operands.one_width ? operands.bits_max : operands.block_bits[min(block, operands.blocks - 1)];
      float sum[config.tokens / 2] = {};
      multiplier.add(segment.from, segment.to, bits, sum);
      if (segment.to < operands.groups) {
        balanced::leave<config>(scratch, share, tile, group, sum);
        continue;
      }
      if (segment.from > 0) balanced::add_others<config>(scratch, share, tile, group, sum);
      const int token0 = segment.token_tile * config.tokens;
      hopper::store_sums<T, config.tokens, balanced_stored_tokens(config)>(
          sum, staging, static_cast<T*>(operands.y) + static_cast<long long>(token0) * operands.out_features,
          operands.tokens - token0, segment.row_tile * config.rows + group * 64, operands.out_features, group,
          turn);
    }
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::mixed_bit_matmul
