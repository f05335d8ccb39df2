#pragma once

#include "kernels/fused_moe/operands.hpp"

namespace adaptive::kernels::fused_moe {

/// The activation of operands.hpp. The exponential and the quotient are the fast ones, whose error of a few
/// units of float32 is far below that of rounding h to 16 bits.
__device__ inline float activated(Activation activation, float gate, float up) {
  float slope = gate;
  switch (activation) {
    case Activation::silu:
      break;
    case Activation::gelu_tanh:
      slope = gelu_slope * (gate + gelu_cubic * gate * gate * gate);
      break;
    case Activation::swigluoai:
      gate = fminf(gate, swiglu_limit);
      up = fminf(fmaxf(up, -swiglu_limit), swiglu_limit) + 1.0f;
      slope = swiglu_slope * gate;
      break;
  }
  // Where the exponential overflows, the quotient is 0, as it should be.
  return __fdividef(gate, 1.0f + __expf(-slope)) * up;
}

}  // namespace adaptive::kernels::fused_moe
