#pragma once

#include <cstring>

#include "kernels/ragged_paged_attention/cuda/batch.cuh"

// Scores and weights of single elements.

namespace adaptive::kernels::ragged_paged_attention {

constexpr float log2_e = 1.44269504088896341f;
/// Less than every score, and finite, so that the difference of two such numbers is 0.
constexpr float lowest_score = -1e30f;

__device__ inline float power_of_two(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ inline unsigned pack_pair(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  unsigned bits;
  memcpy(&bits, &pair, sizeof bits);
  return bits;
}

/// From a product of a query and a key to its score, in units in which a weight is a power of two.
struct Scoring {
  float factor;    ///< without a soft cap: scale * k_scale * log2(e)
  float inner;     ///< with one: 2 * log2(e) * scale * k_scale / soft_cap, for exp(2 x) in tanh(x)
  float soft_cap;  ///< soft_cap * log2(e); 0: none

  __device__ explicit Scoring(const DeviceOperands& o) {
    factor = o.scale * o.k_scale * log2_e;
    soft_cap = o.soft_cap * log2_e;
    inner = o.soft_cap > 0 ? 2 * factor / o.soft_cap : 0;
  }

  /// Of a score with a soft cap: cap * tanh(x) = cap - 2 * cap / (exp(2 x) + 1).
  __device__ float capped(float product) const {
    return soft_cap - __fdividef(2 * soft_cap, power_of_two(product * inner) + 1);
  }
};

/// What the sum of a row's weighted values has to be multiplied by, if `total` is the sum of the weights,
/// which are powers of two of score - largest.
__device__ inline float final_factor(const DeviceOperands& o, int head, float largest, float total) {
  if (o.sinks == nullptr) return o.v_scale / total;
  const float sink = o.sinks[head] * log2_e;
  const float top = fmaxf(sink, largest);
  const float weight = power_of_two(largest - top);
  return o.v_scale * weight / (total * weight + power_of_two(sink - top));
}

}  // namespace adaptive::kernels::ragged_paged_attention
