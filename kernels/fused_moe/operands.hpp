#pragma once

#include <cstdint>

// fused_moe: the routed experts of a mixture-of-experts layer, from the choice of the router to the weighted
// sum. Engines tune this operation as a whole: `fused_moe` of vLLM and SGLang.
//
//   for each token t, and each s below top_k with e = expert_map[ids[t][s]] >= 0:
//     gate = W_up[e][0 .. I) * x[t]         I is intermediate_size
//     up   = W_up[e][I .. 2 I) * x[t]
//     h    = activation(gate, up)           element by element
//     y[t] += weights[t][s] * (W_down[e] * h)
//
// A launch does all of it: it sorts the pairs of token and expert by expert (alignment), and computes gate
// and up, the activation, down, and the weighted sum. A token none of whose experts is here becomes a row of
// zeros.
//
//   activation    h
//   silu          gate * sigmoid(gate) * up
//   gelu_tanh     gate * sigmoid(1.5957691 * (gate + 0.044715 * gate^3)) * up, the tanh form of GELU
//   swigluoai     with gate at most 7 and up within [-7, 7]: gate * sigmoid(1.702 * gate) * (up + 1)
//
//   dtype         x          weights
//   float32       float32    float32
//   bfloat16      bfloat16   bfloat16
//   int8_w8a16    bfloat16   int8 with a float scale for each row
//   int4_w4a16    bfloat16   levels 0 to 15; a float scale and a float offset for 64 columns of a row
//
// y is float32, and so are all sums and h. A backend that rounds h to the type of x says so by its tolerance.
//
// The key is what a program knows when it launches, and each dimension of it changes which variant is the
// fastest:
//   tokens, top_k         the rows of all experts together are at most their product
//   hidden_size, intermediate_size     the two products have different depths and widths
//   experts               on this device: the bytes of the weights
//   filled                experts here that have a row, so the rows of one: a tall tile wastes work on few
//                         rows, a low one reads the weights again for many. A program that has the ids only
//                         in the memory of a GPU gives the number to be expected (likely_filled)
//   expert_parallel       devices that share the experts of the router, so the share of rows that are here
//   activation, dtype     the cost of the epilogue, and which kernels there are
//
// What the caller does: the router, experts that every token passes (shared experts), biases, a factor of the
// sum, and the sum over devices. The rows of gate lie before those of up; where a model alternates them, as
// gpt-oss does, the engine reorders them when it loads the weights.
//
// Layout on the host, with up_stride = hidden_size and down_stride = intermediate_size, both rounded up to a
// multiple of 128; the columns past them are zero:
//   x            [tokens][up_stride]
//   ids          [tokens][top_k], different for each token; below experts * expert_parallel
//   expert_map   [experts * expert_parallel]: the place of the router's expert here, or -1
//   W_up         [experts][2 * intermediate_size][up_stride]
//   W_down       [experts][hidden_size][down_stride]
//   y            [tokens][hidden_size]
// Weights of 4 bits have mixed_bit_matmul's layout with a single width, in which blocks have 16 rows. The
// blocks of gate come before those of up, and rows past intermediate_size exist in both.

namespace adaptive::kernels::fused_moe {

/// In the order of the labels of `activation`.
enum class Activation : std::int64_t { silu, gelu_tanh, swigluoai };

/// In the order of the labels of `dtype`.
enum class Type : std::int64_t { float32, bfloat16, int8_w8a16, int4_w4a16 };

inline constexpr float swiglu_limit = 7;
inline constexpr float swiglu_slope = 1.702F;
inline constexpr float gelu_slope = 1.5957691F;  ///< 2 * sqrt(2 / pi)
inline constexpr float gelu_cubic = 0.044715F;

inline constexpr std::int64_t block_rows = 16;     ///< of weights of 4 bits
inline constexpr std::int64_t group_columns = 64;  ///< that share a scale and an offset, likewise

/// The weights of one product for all experts. What a type does not have is null.
struct ExpertWeights {
  std::int64_t rows, columns, stride;  ///< rows of one expert
  const float* floats;
  const std::uint16_t* bfloats;
  const std::int8_t* levels;   ///< int8
  const std::uint32_t* words;  ///< 4 bits: [experts][blocks][stride / 64][8][16]
  const float* scales;         ///< int8: [experts][rows]; 4 bits: [experts][blocks][stride / 64][2][16]
  std::int64_t blocks;         ///< 4 bits: of one expert
};

/// The memory that every kernel of this family on the host reads and writes.
struct Operands {
  std::int64_t tokens, hidden_size, intermediate_size, experts, router_experts, top_k;
  Activation activation;
  Type type;
  const float* x_floats;  ///< float32 only
  const std::uint16_t* x_bfloats;
  const std::int32_t* ids;
  const float* weights;
  const std::int32_t* expert_map;
  ExpertWeights up, down;
  float* y;
};

}  // namespace adaptive::kernels::fused_moe
