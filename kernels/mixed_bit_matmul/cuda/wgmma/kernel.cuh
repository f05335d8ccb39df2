#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/store_sums.cuh"
#include "kernels/common/cuda/wgmma.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/scaled.cuh"

// For many tokens: each warp unpacks its block of 16 rows in registers, scaled and rounded to the type of the
// activations. The activations are the second operand and come through shared memory. While a group of 64
// columns is multiplied, the next group is unpacked into other registers. One thread of another warp keeps
// two rings of stages filled: activations in groups, weights in chunks of four groups.

namespace adaptive::kernels::mixed_bit_matmul {
namespace wgmma {

using hopper::Address;

/// The layout of shared memory.
template <WgmmaConfig config>
struct Layout {
  Address x, words, x_full, x_empty, words_full, words_empty;
  int word_bytes;  // bytes of words of a warp and stage
  static constexpr int warps = 4 * config.groups();

  __device__ Layout(Address base, int stages, int bits_max)
      : x(base),
        words(base + stages * wgmma_x_bytes(config)),
        word_bytes(chunk_word_bytes(bits_max) + chunk_scale_bytes) {
    x_full = words + wgmma_word_stages * warps * word_bytes;
    x_empty = x_full + 8 * stages;
    words_full = x_empty + 8 * stages;
    words_empty = words_full + 8 * wgmma_word_stages;
  }
  __device__ Address x_of(int stage) const { return x + stage * wgmma_x_bytes(config); }
  __device__ Address words_of(int stage, int warp) const {
    return words + (stage * warps + warp) * word_bytes;
  }
};

/// Runs in the thread that loads.
template <WgmmaConfig config>
__device__ void load(const Layout<config>& at, int stages, const CUtensorMap* x_map,
                     const DeviceOperands& operands, int first_block, int token0) {
  using L = Layout<config>;
  const int blocks = max(0, min(L::warps, operands.blocks - first_block));
  const int boxes = (min(config.tokens, operands.tokens - token0) + wgmma_box_tokens - 1) / wgmma_box_tokens;
  constexpr int box_bytes = wgmma_box_tokens * 128;
  hopper::Ring x_ring, word_ring;
  const auto* all_words = reinterpret_cast<const unsigned char*>(operands.words);
  const auto* all_scales = static_cast<const unsigned char*>(operands.scales);
  int bytes = blocks * chunk_scale_bytes;
  for (int i = 0; i < blocks; ++i) bytes += chunk_word_bytes(operands.block_bits[first_block + i]);
  for (int chunk = 0; chunk < operands.chunks(); ++chunk) {
    hopper::barrier_wait(at.words_empty + 8 * word_ring.stage, word_ring.parity ^ 1);
    const Address words_full = at.words_full + 8 * word_ring.stage;
    hopper::barrier_expect(words_full, bytes);
    for (int i = 0; i < blocks; ++i) {
      const int block = first_block + i;
      const int word_bytes = chunk_word_bytes(operands.block_bits[block]);
      const Address to = at.words_of(word_ring.stage, i);
      hopper::copy_bytes(
          to, all_scales + (static_cast<long long>(block) * operands.chunks() + chunk) * chunk_scale_bytes,
          chunk_scale_bytes, words_full);
      hopper::copy_bytes(
          to + chunk_scale_bytes,
          all_words + operands.words_at[block] * 4 + static_cast<long long>(chunk) * word_bytes, word_bytes,
          words_full);
    }
    word_ring.advance(wgmma_word_stages);
    for (int group = chunk * chunk_groups; group < min((chunk + 1) * chunk_groups, operands.groups);
         ++group) {
      hopper::barrier_wait(at.x_empty + 8 * x_ring.stage, x_ring.parity ^ 1);
      const Address x_full = at.x_full + 8 * x_ring.stage;
      hopper::barrier_expect(x_full, boxes * box_bytes);
      for (int box = 0; box < boxes; ++box) {
        const Address to = at.x_of(x_ring.stage) + box * box_bytes;
        hopper::copy_box(to, x_map, group * 64, token0 + box * wgmma_box_tokens, x_full);
      }
      x_ring.advance(stages);
    }
  }
}

/// Multiplies 64 rows of W with one warp group.
template <class T, WgmmaConfig config>
class Multiplier {
 public:
  __device__ Multiplier(const Layout<config>& at, int stages, int warp, int lane, int bits, int groups)
      : at_(at), stages_(stages), warp_(warp), lane_(lane), bits_(bits), groups_(groups) {}

  __device__ void run(float (&sum)[config.tokens / 2]) {
    hopper::barrier_wait(at_.words_full, 0);
    scaled::unpack_any<T, 0>(bits_, at_.words_of(0, warp_), lane_, a_[0]);
#pragma unroll 1
    for (int chunk = 0; chunk * chunk_groups < groups_; ++chunk)
      unrolled_for<chunk_groups>([&]<int group>() { multiply<group>(chunk, sum); });
    hopper::wgmma_wait<0>();
    hopper::pin(sum);
  }

 private:
  template <int group>
  __device__ void multiply(int chunk, float (&sum)[config.tokens / 2]) {
    const int at = chunk * chunk_groups + group;
    if (at >= groups_) return;
    hopper::barrier_wait(at_.x_full + 8 * x_.stage, x_.parity);
    const std::uint64_t x = hopper::describe(at_.x_of(x_.stage));
    hopper::wgmma_fence();
    unrolled_for<4>([&]<int step>() {
      hopper::MultiplyRegisters<T, config.tokens>::run(sum, a_[group] + 4 * step,
                                                       x + hopper::steps_of(step * 32), 1);
    });
    hopper::wgmma_commit();
    if (at + 1 < groups_) {
      constexpr int next = (group + 1) % chunk_groups;
      if constexpr (next == 0) {
        hopper::barrier_arrive(at_.words_empty + 8 * words_.stage);  // every thread has read its own words
        words_.advance(wgmma_word_stages);
        hopper::barrier_wait(at_.words_full + 8 * words_.stage, words_.parity);
      }
      scaled::unpack_any<T, next>(bits_, at_.words_of(words_.stage, warp_), lane_, a_[next]);
    }
    if (at > 0) {
      hopper::wgmma_wait<1>();
      __syncwarp();
      if (lane_ == 0) hopper::barrier_arrive(at_.x_empty + 8 * before_);
    }
    before_ = x_.stage;
    x_.advance(stages_);
  }

  const Layout<config> at_;
  const int stages_, warp_, lane_, bits_, groups_;
  // Operands of four groups: the next group may be unpacked while the last two are still being read.
  std::uint32_t a_[chunk_groups][16];
  hopper::Ring x_, words_;
  int before_ = 0;
};

}  // namespace wgmma

template <std::size_t index>
struct WgmmaOf {
  static constexpr WgmmaConfig config = wgmma_configs[index];
};

template <class T, std::size_t index>
__global__ void __launch_bounds__(wgmma_configs[index].threads(), 1)
    mixed_bit_wgmma(const __grid_constant__ CUtensorMap x_map, const DeviceOperands operands, int stages) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr WgmmaConfig config = WgmmaOf<index>::config;
  constexpr int warps = 4 * config.groups();
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const wgmma::Layout<config> at(base, stages, operands.bits_max);
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int first_block = static_cast<int>(blockIdx.x) * warps;
  const int token0 = static_cast<int>(blockIdx.y) * config.tokens;
  if (warp == warps && lane == 0) {
    hopper::prefetch_map(&x_map);
    for (int stage = 0; stage < stages; ++stage) {
      hopper::barrier_init(at.x_full + 8 * stage, 1);
      hopper::barrier_init(at.x_empty + 8 * stage, warps);
    }
    for (int stage = 0; stage < wgmma_word_stages; ++stage) {
      hopper::barrier_init(at.words_full + 8 * stage, 1);
      hopper::barrier_init(at.words_empty + 8 * stage, 32 * warps);
    }
    hopper::fence_barrier_init();
  }
  __syncthreads();

  if (warp >= warps) {
    if constexpr (config.donates()) hopper::give_registers<40>();
    if (warp == warps && lane == 0) wgmma::load<config>(at, stages, &x_map, operands, first_block, token0);
  } else {
    if constexpr (config.donates()) hopper::take_registers<232>();
    // Rows beyond the last row are unpacked from whatever is in memory there, and are not stored.
    const int bits = operands.block_bits[min(first_block + warp, operands.blocks - 1)];
    float sum[config.tokens / 2] = {};
    wgmma::Multiplier<T, config>(at, stages, warp, lane, bits, operands.groups).run(sum);
    // Everything that was requested has arrived; when all warps are done, the sums can use the memory.
    asm volatile("bar.sync 8, %0;" ::"n"(32 * warps) : "memory");
    const int group = warp / 4;
    constexpr int staging_bytes = 2 * wgmma_box_tokens * 128;
    int turn = 0;
    hopper::store_sums<T, config.tokens, wgmma_box_tokens>(
        sum, base + group * staging_bytes,
        static_cast<T*>(operands.y) + static_cast<long long>(token0) * operands.out_features,
        operands.tokens - token0, first_block * rows_of_block + group * 64, operands.out_features, group,
        turn);
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::mixed_bit_matmul
