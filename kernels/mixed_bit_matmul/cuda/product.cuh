#pragma once

#include "kernels/common/cuda/ampere.cuh"
#include "kernels/common/cuda/element.cuh"
#include "kernels/mixed_bit_matmul/cuda/unpack.cuh"

namespace adaptive::kernels::mixed_bit_matmul {

/// Adds the products of a lane with eight tokens, with scale and offset of its two rows, in float32; nothing
/// is rounded before. `low` and `high` are sums with levels offset by their powers (unpack.cuh); they are the
/// same except with 8 bits. `plain` are sums of the activations alone, and of the activations times the
/// powers.
template <int bits>
__device__ void add_scaled(float (&total)[4], const float (&low)[4], const float (&high)[4],
                           const float (&plain)[4], const float2 (&scale)[2]) {
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    const float power = plain[2 + j % 2];
    float levels = low[j] - power;
    if constexpr (bits == 8) levels += 16 * (high[j] - power);
    total[j] = fmaf(scale[j / 2].x, levels, fmaf(scale[j / 2].y, plain[j % 2], total[j]));
  }
}

}  // namespace adaptive::kernels::mixed_bit_matmul
