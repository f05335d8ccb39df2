#pragma once

#include "kernels/common/cuda/hopper.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/common/cuda/unrolled_for.cuh"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/product.cuh"

// For one or two tokens, where only the weights are large. The weights are loaded directly into the registers
// of the lanes that multiply them. The activations are small enough to be in shared memory before the first
// product. From then on no warp waits for another. As in ../mma/kernel.cuh, each level is offset by a power
// of two, and the tensor cores also compute the sums of activations by which these powers and the offsets are
// multiplied.
//
// A product has eight columns, six of which two tokens would leave empty. Therefore the four groups of a
// chunk have two columns each, with zeros in the columns of the other groups. They share a sum, and each lane
// scales one group, once per chunk.

namespace adaptive::kernels::mixed_bit_matmul {
namespace decode {

using hopper::Address;

/// The registers of a lane for a block of rows. They are loaded while the previous words are multiplied.
/// Words are held piece by piece in turn; the place of a piece is free when its last group has been unpacked.
template <int bits>
struct Held {
  static constexpr int pieces = bits == 3 ? 3 : 4;
  /// Number of chunks after which a piece has the same place again.
  static constexpr int turns = bits < pieces ? pieces / bits : 1;
  __device__ static constexpr int place_of(int turn, int piece) { return (turn * bits + piece) % pieces; }

  uint4 words[pieces] = {};
  uint2 pairs = {}, next_pairs = {};  // of rows lane / 4 and lane / 4 + 8, group lane % 4

  template <int turn>
  __device__ std::uint32_t word(int at) const {
    const uint4& four = words[place_of(turn, at / 4)];
    return at % 4 == 0 ? four.x : at % 4 == 1 ? four.y : at % 4 == 2 ? four.z : four.w;
  }
};

/// The part of the work that a warp does.
template <DecodeConfig config>
struct Warp {
  const DeviceOperands& operands;
  int lane, part;
  BlockPair blocks;
  int first_token, tokens;  // tokens of the tile
  Address x;                // [chunks][tokens] of decode_token_bytes
  Address zeros;            // zeros in place of a token's columns of a chunk
  Address arrived;          // barrier of the activations

  __device__ int block(int which) const { return which == 0 ? blocks.first : blocks.second; }

  /// Address of this lane's words in its part.
  __device__ const unsigned char* words(int which, int bits) const {
    const long long at = operands.one_width
                             ? static_cast<long long>(block(which)) * operands.chunks() * words_of_chunk(bits)
                             : operands.words_at[block(which)];
    return reinterpret_cast<const unsigned char*>(operands.words + at) + part * chunk_word_bytes(bits) +
           lane * 16;
  }
  /// Address of this lane's scales and offsets of a chunk.
  __device__ const unsigned char* pairs(int which, int chunk) const {
    return static_cast<const unsigned char*>(operands.scales) + lane * 8 +
           static_cast<long long>(block(which) * operands.chunks() + chunk) * chunk_scale_bytes;
  }

  /// Starts loading all activations, by all threads; columns that do not exist become zeros.
  __device__ void ask_activations() const {
    const int pieces = operands.groups * 8;  // pieces of 16 bytes of one token
    const unsigned char* from =
        static_cast<const unsigned char*>(operands.x) + static_cast<long long>(first_token) * pieces * 16;
#pragma unroll 1
    for (int i = static_cast<int>(threadIdx.x); i < operands.chunks() * 32; i += config.warps() * 32)
#pragma unroll 1
      for (int token = 0; token < tokens; ++token)
        ampere::copy_piece_or_zeros(x + (i / 32 * tokens + token) * decode_token_bytes + i % 32 * 16,
                                    from + (i < pieces ? (token * pieces + i) * 16 : 0), i < pieces);
    hopper::barrier_arrive_when_copied(arrived);
  }
};

/// Activations of a group for eight tokens, as second operands of four products of 16 columns.
struct Activations {
  uint4 half[2];

  /// Loads from the address of row lane % 8 and piece lane / 8.
  __device__ void load(Address x) {
    half[0] = ampere::load_matrices(x);
    half[1] = ampere::load_matrices(x + 64);
  }
  __device__ std::uint32_t low(int step) const { return step % 2 == 0 ? half[step / 2].x : half[step / 2].z; }
  __device__ std::uint32_t high(int step) const {
    return step % 2 == 0 ? half[step / 2].y : half[step / 2].w;
  }
};

/// Weights of a group of a block of rows, as first operands of four products of 16 columns. With 8 bits, the
/// low or the high four bits, which are separate numbers.
template <class T, int bits, bool high>
struct Weights {
  std::uint32_t raised[4][4];

  __device__ explicit Weights(const std::uint32_t (&words)[bits]) {
    unrolled_for<4>([&]<int step>() {
      raised[step][0] = raised_levels<T, bits, 2 * step, 0, high>(words);
      raised[step][1] = raised_levels<T, bits, 2 * step, 1, high>(words);
      raised[step][2] = raised_levels<T, bits, 2 * step + 1, 0, high>(words);
      raised[step][3] = raised_levels<T, bits, 2 * step + 1, 1, high>(words);
    });
  }
};

/// Sums of the activations alone (the first two), and of the activations times the powers by which the levels
/// are offset.
template <class T, int bits>
struct Plain {
  float sum[4] = {};

  __device__ void add(const Activations& x) {
    constexpr std::uint32_t ones = both<T>(1);
    unrolled_for<4>([&]<int step>() {
      constexpr std::uint32_t known[4] = {ones, both<T>(power_of(bits, 2 * step)), ones,
                                          both<T>(power_of(bits, 2 * step + 1))};
      ampere::multiply<T>(sum, known, x.low(step), x.high(step));
    });
  }
};

/// Sums of the activations times the levels, each offset by its power.
template <class T, int bits>
struct Levels {
  static constexpr int nibbles = bits == 8 ? 2 : 1;
  float sum[nibbles][4] = {};

  template <bool high>
  __device__ void add(const Weights<T, bits, high>& weights, const Activations& x) {
#pragma unroll
    for (int step = 0; step < 4; ++step)
      ampere::multiply<T>(sum[high ? 1 : 0], weights.raised[step], x.low(step), x.high(step));
  }

  __device__ void scale_to(float (&total)[4], const Plain<T, bits>& plain, uint2 pairs) const {
    add_scaled<bits>(total, sum[0], sum[nibbles - 1], plain.sum,
                     {cuda::halves<T>(pairs.x), cuda::halves<T>(pairs.y)});
  }
};

using Totals = float[2][4];

/// Adds a chunk to the totals and, as registers become free, starts loading the data that follows. `words`
/// and `x` are the words and activations of the chunk; `turn` is one of Held::turns.
template <class T, DecodeConfig config, int bits, int turn>
__device__ void add_chunk(const Warp<config>& self, int chunk, Address x, Held<bits> (&held)[2],
                          const unsigned char* const (&words)[2], Totals& total) {
  constexpr int step_bytes = config.parts * chunk_word_bytes(bits);
  const int chunks = self.operands.chunks();
#pragma unroll
  for (int b = 0; b < 2; ++b)
    hopper::load_once(held[b].next_pairs, self.pairs(b, chunk + config.parts), chunk + config.parts < chunks);

  const int column = self.lane % 8;
  const Address own_x = x + min(column % 2, self.tokens - 1) * decode_token_bytes + self.lane / 8 * 16;
  // Two separate sums, so that a product seldom waits for the previous one; with 8 bits there are two anyway.
  constexpr int sums = bits == 8 ? 1 : 2;
  Plain<T, bits> plain[sums];
  Levels<T, bits> levels[2][sums];
  unrolled_for<chunk_groups>([&]<int group>() {
    Activations activations;
    activations.load((column / 2 == group ? own_x : self.zeros) + group * 128);
    plain[group % sums].add(activations);
#pragma unroll
    for (int b = 0; b < 2; ++b) {
      std::uint32_t own[bits];
#pragma unroll
      for (int v = 0; v < bits; ++v) own[v] = held[b].template word<turn>(group * bits + v);
      levels[b][group % sums].add(Weights<T, bits, false>(own), activations);
      if constexpr (bits == 8) levels[b][group % sums].add(Weights<T, bits, true>(own), activations);
      unrolled_for<bits>([&]<int piece>() {
        if constexpr ((4 * piece + 3) / bits == group) {
          constexpr int ahead = (piece + Held<bits>::pieces) / bits;  // number of chunks
          constexpr int next = (piece + Held<bits>::pieces) % bits;
          hopper::load_once(held[b].words[Held<bits>::place_of(turn, piece)],
                            words[b] + ahead * step_bytes + next * 512,
                            ahead == 0 || chunk + ahead * config.parts < chunks);
        }
      });
    }
  });
#pragma unroll
  for (int b = 0; b < 2; ++b) {
    if constexpr (sums == 2) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        if (b == 0) plain[0].sum[j] += plain[1].sum[j];
        levels[b][0].sum[0][j] += levels[b][1].sum[0][j];
      }
    }
    levels[b][0].scale_to(total[b], plain[0], held[b].pairs);
    held[b].pairs = held[b].next_pairs;
  }
}

/// Adds every chunk of this part.
template <class T, DecodeConfig config, int bits>
__device__ void add_chunks(const Warp<config>& self, Totals& total) {
  constexpr int step_bytes = config.parts * chunk_word_bytes(bits);
  const int chunks = self.operands.chunks();
  const unsigned char* words[2] = {self.words(0, bits), self.words(1, bits)};
  Held<bits> held[2];
#pragma unroll
  for (int b = 0; b < 2; ++b) {
    unrolled_for<Held<bits>::pieces>([&]<int piece>() {
      hopper::load_once(held[b].words[piece], words[b] + piece / bits * step_bytes + piece % bits * 512,
                        self.part + piece / bits * config.parts < chunks);
    });
    hopper::load_once(held[b].pairs, self.pairs(b, self.part), self.part < chunks);
  }
  // The kernel before may have written the activations.
  cuda::wait_for_previous();
  cuda::let_next_begin();
  self.ask_activations();
  hopper::barrier_wait(self.arrived, 0);
  const int x_bytes = self.tokens * decode_token_bytes;
  Address x = self.x + self.part * x_bytes;
  for (int chunk = self.part; chunk < chunks;)
    unrolled_for<Held<bits>::turns>([&]<int turn>() {
      if (chunk >= chunks) return;
      add_chunk<T, config, bits, turn>(self, chunk, x, held, words, total);
      chunk += config.parts;
      x += config.parts * x_bytes;
      words[0] += step_bytes;
      words[1] += step_bytes;
    });
}

}  // namespace decode

template <std::size_t index>
struct DecodeOf {
  static constexpr DecodeConfig config = decode_configs[index];
};

template <class T, std::size_t index>
__global__ void __launch_bounds__(decode_configs[index].warps() * 32, decode_configs[index].resident())
    mixed_bit_decode(const DeviceOperands operands) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  constexpr DecodeConfig config = DecodeOf<index>::config;
  extern __shared__ __align__(128) unsigned char shared[];
  const auto base = static_cast<hopper::Address>(__cvta_generic_to_shared(shared));
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  const int own = warp % config.pairs;
  const int part = warp / config.pairs;
  const int first_pair = static_cast<int>(blockIdx.x) * config.pairs;
  const auto blocks_of = [&](int pair) {
    // A warp without a pair repeats the work of the last pair; its rows are not stored.
    const int at = min(first_pair + pair, operands.pairs - 1);
    // If all blocks have one width, no other load has to precede those of the weights.
    return operands.one_width ? BlockPair{2 * at, min(2 * at + 1, operands.blocks - 1)}
                              : operands.block_pairs[at];
  };
  const int first_token = static_cast<int>(blockIdx.y) * decode_tokens;
  const int tokens = min(decode_tokens, operands.tokens - first_token);
  // Shared memory begins with a row of zeros, the barrier and the activations.
  const hopper::Address arrived = base + decode_token_bytes;
  decode::Warp<config> self{operands, lane, part, {}, first_token, tokens, arrived + 16, base, arrived};
  if (threadIdx.x < decode_token_bytes / 16)
    hopper::store_shared(base + static_cast<int>(threadIdx.x) * 16, uint4{});
  if (threadIdx.x == 0) {
    hopper::barrier_init(arrived, config.warps() * 32);
    hopper::fence_barrier_init();
  }
  __syncthreads();
  self.blocks = blocks_of(own);
  const int bits = operands.one_width ? operands.bits_max : operands.block_bits[self.blocks.first];
  decode::Totals total = {};
  with_bits(bits, [&]<int width>() { decode::add_chunks<T, config, width>(self, total); });
  // The totals are still separate for the four groups of each chunk; add them.
#pragma unroll
  for (int i = 0; i < 8; ++i)
#pragma unroll
    for (int other = 1; other < 4; other *= 2)
      total[i / 4][i % 4] += __shfl_xor_sync(0xFFFFFFFFu, total[i / 4][i % 4], other);

  __syncthreads();  // the activations are no longer read, so the sums can use their memory
  using Sums = float[config.pairs][config.parts][decode_tokens][decode_rows + 1];
  auto& sums = *reinterpret_cast<Sums*>(shared);
  if (lane % 4 == 0)
#pragma unroll
    for (int i = 0; i < 8; ++i)
      sums[own][part][i % 2][i / 4 * rows_of_block + i % 4 / 2 * 8 + lane / 4] = total[i / 4][i % 4];
  __syncthreads();
  constexpr int rows = config.pairs * decode_rows;
  T* y = static_cast<T*>(operands.y);
  for (int i = static_cast<int>(threadIdx.x); i < tokens * rows; i += config.warps() * 32) {
    const int token = i / rows;
    const int pair = i % rows / decode_rows;
    const int row = i % decode_rows;
    const BlockPair from = blocks_of(pair);
    const int y_row = (row < rows_of_block ? from.first : from.second) * rows_of_block + row % rows_of_block;
    if (first_pair + pair >= operands.pairs || (row >= rows_of_block && from.second == from.first) ||
        y_row >= operands.out_features)
      continue;
    float sum = 0.0f;
#pragma unroll
    for (int other = 0; other < config.parts; ++other) sum += sums[pair][other][token][row];
    y[static_cast<long long>(first_token + token) * operands.out_features + y_row] = static_cast<T>(sum);
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::mixed_bit_matmul
