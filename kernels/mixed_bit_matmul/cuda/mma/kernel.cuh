#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/unrolled_for.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/product.cuh"

// For few tokens: the weights are read once and unpacked in registers. Levels are small integers, which are
// exact in the type of the activations, so the tensor cores multiply them directly, each offset by a power of
// two (unpack.cuh). At the end of each group of 64 columns, scale and offset are applied to its sum in
// float32; nothing is rounded before. The sums of activations by which the powers and the offset are
// multiplied come from a separate mma, whose first eight rows are ones and whose other eight rows are the
// powers.
//
// The warps with the same part of k share a ring of stages. Each warp copies its own weights and some of the
// tokens to it, and refills the stage that all of them have left most recently. A warp has one width, so
// blocks of rows of all widths run side by side in one launch. Parts are added in a fixed order.

namespace adaptive::kernels::mixed_bit_matmul {
namespace mma {

using hopper::Address;

/// Brings `bytes` bytes, a multiple of 16 as the address is, into the second-level cache.
__device__ inline void prefetch_bytes(const void* from, int bytes) {
  asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(from), "r"(bytes) : "memory");
}

/// The part of the work that a warp does, and its part of the block's memory.
template <MmaConfig config>
struct Warp {
  int lane, own, part;  // own: index of the warp's block of rows within the block of threads
  int stages;
  int x_rows;           // tokens of the tile
  int bits;             // 0: no block of rows is left for this warp
  Address full, empty;  // barriers of the part, 8 bytes for each stage
  Address x;            // activations of the part; x_bytes for each stage
  Address words;        // words of the warp; word_bytes for each stage
  int x_bytes, word_bytes;
  const unsigned char* from_words;
  const unsigned char* from_scales;
  const unsigned char* from_x;
  long long x_row_bytes;

  /// Brings the words of a chunk into the second-level cache.
  template <int bits>
  __device__ void prefetch(int chunk) const {
    if constexpr (bits != 0)
      prefetch_bytes(from_words + static_cast<long long>(chunk) * chunk_word_bytes(bits),
                     chunk_word_bytes(bits));
  }

  /// Starts loading this warp's share of a chunk. Copies of 16 bytes by each lane are cheaper here than the
  /// copy engine, whose requests take about 25 instructions of a single lane each.
  template <int bits>
  __device__ void fill(int chunk, int groups, int stage) const {
    const Address to = words + stage * word_bytes + lane * 16;
    if constexpr (bits != 0) {
      const unsigned char* scales = from_scales + static_cast<long long>(chunk) * chunk_scale_bytes;
      if (lane * 16 < chunk_scale_bytes) ampere::copy_piece(to, scales + lane * 16);
      const unsigned char* from =
          from_words + static_cast<long long>(chunk) * chunk_word_bytes(bits) + lane * 16;
#pragma unroll
      for (int piece = 0; piece < bits; ++piece)
        ampere::copy_piece(to + chunk_scale_bytes + piece * 512, from + piece * 512);
    }
    const unsigned char* tokens = from_x + static_cast<long long>(chunk) * chunk_columns * 2 + lane * 16;
    const bool exists = lane < (groups - chunk * chunk_groups) * 8;
#pragma unroll 4
    for (int i = 0; i < config.tokens; i += config.blocks) {
      const int row = own + i;
      if (row < x_rows && exists)
        ampere::copy_piece(x + stage * x_bytes + row * mma_token_bytes + lane * 16,
                           tokens + row * x_row_bytes);
    }
    hopper::barrier_arrive_when_copied(full + 8 * stage);
  }
};

/// Adds a chunk to the sums; `valid` of its groups exist. For a complete chunk the code has no branches, so
/// that the latencies of its groups overlap.
template <class T, MmaConfig config, int bits, bool whole>
__device__ void add_chunk(Address own, Address x, int x_rows, int valid, int lane,
                          float (&total)[config.tokens / 8][4]) {
  constexpr int token_tiles = config.tokens / 8;
  constexpr int nibbles = bits == 8 ? 2 : 1;
  constexpr std::uint32_t ones = both<T>(1);
  const Address scales = own + lane / 4 * 32;
  const Address words = own + chunk_scale_bytes + lane * 16;
  // Tokens that the tile does not have read the last token; their sums are not stored.
  Address x_from[token_tiles];
#pragma unroll
  for (int t = 0; t < token_tiles; ++t)
    x_from[t] = x + min(8 * t + lane % 8, x_rows - 1) * mma_token_bytes + lane / 8 * 16;
  std::uint32_t word[4 * bits];
  uint4 pairs;
  unrolled_for<chunk_groups>([&]<int group>() {
    if (!whole && group >= valid) return;
    if constexpr (group % 2 == 0) pairs = hopper::load_shared(scales + group / 2 * 16);
    unrolled_for<bits>([&]<int piece>() {
      if constexpr (4 * piece / bits == group) {
        const uint4 four = hopper::load_shared(words + piece * 512);
        word[4 * piece] = four.x;
        word[4 * piece + 1] = four.y;
        word[4 * piece + 2] = four.z;
        word[4 * piece + 3] = four.w;
      }
    });
    float sum[nibbles][token_tiles][4] = {};
    float plain[token_tiles][4] = {};
    unrolled_for<2>([&]<int half>() {  // half of the group's columns
      uint4 activations[token_tiles];
#pragma unroll
      for (int t = 0; t < token_tiles; ++t)
        activations[t] = ampere::load_matrices(x_from[t] + group * 128 + half * 64);
      unrolled_for<2>([&]<int second>() {
        constexpr int slot = 4 * half + 2 * second;
        constexpr std::uint32_t known[4] = {ones, both<T>(power_of(bits, slot)), ones,
                                            both<T>(power_of(bits, slot + 1))};
#pragma unroll
        for (int t = 0; t < token_tiles; ++t)
          ampere::multiply<T>(plain[t], known, second == 0 ? activations[t].x : activations[t].z,
                              second == 0 ? activations[t].y : activations[t].w);
        const std::uint32_t* from = word + group * bits;
        unrolled_for<nibbles>([&]<int nibble>() {
          constexpr bool high = nibble == 1;
          const std::uint32_t a[4] = {raised_levels<T, bits, slot, 0, high>(from),
                                      raised_levels<T, bits, slot, 1, high>(from),
                                      raised_levels<T, bits, slot + 1, 0, high>(from),
                                      raised_levels<T, bits, slot + 1, 1, high>(from)};
#pragma unroll
          for (int t = 0; t < token_tiles; ++t)
            ampere::multiply<T>(sum[nibble][t], a, second == 0 ? activations[t].x : activations[t].z,
                                second == 0 ? activations[t].y : activations[t].w);
        });
      });
    });
    const float2 scale[2] = {cuda::halves<T>(group % 2 == 0 ? pairs.x : pairs.z),
                             cuda::halves<T>(group % 2 == 0 ? pairs.y : pairs.w)};
#pragma unroll
    for (int t = 0; t < token_tiles; ++t)
      add_scaled<bits>(total[t], sum[0][t], sum[nibbles - 1][t], plain[t], scale);
  });
}

template <class T, MmaConfig config, int bits>
__device__ void add_chunks(const Warp<config>& self, int chunks, int groups,
                           float (&total)[config.tokens / 8][4]) {
  const int first = min(self.stages, (chunks - self.part + config.parts - 1) / config.parts);
  // The kernel before may have written the activations. Their copies share barriers with those of the words,
  // which therefore only come nearer meanwhile.
  if (self.lane < first) self.template prefetch<bits>(self.part + self.lane * config.parts);
  __syncwarp();
  cuda::wait_for_previous();
  cuda::let_next_begin();
  for (int i = 0; i < first; ++i) self.template fill<bits>(self.part + i * config.parts, groups, i);
  hopper::Ring ring, refill;
  int ahead = self.part + first * config.parts;  // the next chunk that has not been requested
  for (int chunk = self.part; chunk < chunks; chunk += config.parts) {
    if (chunk != self.part) {
      // This is the stage of the previous chunk: this warp has left it, and the others soon will.
      if (ahead < chunks) {
        hopper::barrier_wait(self.empty + 8 * refill.stage, refill.parity);
        self.template fill<bits>(ahead, groups, refill.stage);
        ahead += config.parts;
      }
      refill.advance(self.stages);
    }
    hopper::barrier_wait(self.full + 8 * ring.stage, ring.parity);
    if constexpr (bits != 0) {
      const Address own = self.words + ring.stage * self.word_bytes;
      const Address x = self.x + ring.stage * self.x_bytes;
      const int valid = min(chunk_groups, groups - chunk * chunk_groups);
      if (config.tokens == 8 && valid == chunk_groups)
        add_chunk<T, config, bits, true>(own, x, self.x_rows, valid, self.lane, total);
      else
        add_chunk<T, config, bits, false>(own, x, self.x_rows, valid, self.lane, total);
    }
    hopper::barrier_arrive(self.empty + 8 * ring.stage);
    ring.advance(self.stages);
  }
}

}  // namespace mma

template <std::size_t index>
struct MmaOf {
  static constexpr MmaConfig config = mma_configs[index];
};

template <class T, std::size_t index>
__global__ void __launch_bounds__(mma_configs[index].warps() * 32, mma_configs[index].resident())
    mixed_bit_mma(const DeviceOperands operands, int stages) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr MmaConfig config = MmaOf<index>::config;
  constexpr int token_tiles = config.tokens / 8;
  extern __shared__ __align__(128) unsigned char shared[];
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int own = warp % config.blocks;
  const int part = warp / config.blocks;
  const int first_block = static_cast<int>(blockIdx.x) * config.blocks;
  const int block = first_block + own;
  const int token0 = static_cast<int>(blockIdx.y) * config.tokens;
  const int tile_tokens = min(config.tokens, operands.tokens - token0);
  const int chunks = operands.chunks();

  mma::Warp<config> self;
  self.lane = lane;
  self.own = own;
  self.part = part;
  self.stages = stages;
  self.x_rows = tile_tokens;
  self.x_bytes = mma_x_bytes(config, operands.tokens);
  self.word_bytes = chunk_word_bytes(operands.bits_max) + chunk_scale_bytes;
  // Activations and weights come first, because their pieces have 16 bytes; then the barriers.
  const int x_all = config.parts * stages * self.x_bytes;
  const int words_all = config.warps() * stages * self.word_bytes;
  self.x = base + part * stages * self.x_bytes;
  self.words = base + x_all + warp * stages * self.word_bytes;
  self.full = base + x_all + words_all + part * stages * 16;
  self.empty = self.full + stages * 8;
  self.bits = block < operands.blocks ? operands.block_bits[block] : 0;
  self.from_words = reinterpret_cast<const unsigned char*>(
      operands.words + (block < operands.blocks ? operands.words_at[block] : 0));
  self.from_scales = static_cast<const unsigned char*>(operands.scales) +
                     static_cast<long long>(block) * chunks * chunk_scale_bytes;
  self.x_row_bytes = static_cast<long long>(operands.groups) * 128;
  self.from_x = static_cast<const unsigned char*>(operands.x) + token0 * self.x_row_bytes;
  if (own == 0 && lane < stages) {
    hopper::barrier_init(self.full + 8 * lane, 32 * config.blocks);
    hopper::barrier_init(self.empty + 8 * lane, 32 * config.blocks);
    hopper::fence_barrier_init();
  }
  __syncthreads();

  float total[token_tiles][4] = {};
  switch (self.bits) {
    case 0:
      mma::add_chunks<T, config, 0>(self, chunks, operands.groups, total);
      break;
    case 2:
      mma::add_chunks<T, config, 2>(self, chunks, operands.groups, total);
      break;
    case 3:
      mma::add_chunks<T, config, 3>(self, chunks, operands.groups, total);
      break;
    case 4:
      mma::add_chunks<T, config, 4>(self, chunks, operands.groups, total);
      break;
    default:
      mma::add_chunks<T, config, 8>(self, chunks, operands.groups, total);
      break;
  }

  // Everything that was requested has arrived, so the sums can use the memory.
  __syncthreads();
  using Sums = float[config.blocks][config.parts][config.tokens][rows_of_block + 1];
  auto& sums = *reinterpret_cast<Sums*>(shared);
#pragma unroll
  for (int t = 0; t < token_tiles; ++t)
#pragma unroll
    for (int j = 0; j < 4; ++j)
      sums[own][part][8 * t + lane % 4 * 2 + j % 2][lane / 4 + j / 2 * 8] = total[t][j];
  __syncthreads();
  constexpr int rows = config.blocks * rows_of_block;
  T* y = static_cast<T*>(operands.y);
  for (int i = static_cast<int>(threadIdx.x); i < tile_tokens * rows; i += static_cast<int>(blockDim.x)) {
    const int token = i / rows;
    const int row = i % rows;
    if (first_block * rows_of_block + row >= operands.out_features) continue;
    float sum = 0.0f;
#pragma unroll
    for (int other = 0; other < config.parts; ++other)
      sum += sums[row / rows_of_block][other][token][row % rows_of_block];
    y[static_cast<long long>(token0 + token) * operands.out_features + first_block * rows_of_block + row] =
        static_cast<T>(sum);
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::mixed_bit_matmul
