#pragma once

#include "kernels/common/cuda/launch.cuh"
#include "kernels/ragged_paged_attention/cuda/kernels.hpp"

namespace adaptive::kernels::ragged_paged_attention {

/// Calls f.operator()<head_size>() for one of the sizes of a head.
template <class F>
auto for_head(int head_size, const F& f) {
  if (head_size == 64) return f.template operator()<64>();
  if (head_size == 128) return f.template operator()<128>();
  return f.template operator()<256>();
}

}  // namespace adaptive::kernels::ragged_paged_attention
